"""What inference needs to know of a run: its config, its weights, and the names of its classes."""

from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.registry import DATASETS

from ..config import find_weights, load_config
from ..config.folds import data_sets
from ..config.stored import read_meta
from ..datasets.class_names import first_meta
from ..errors import SR4IRError

#: weights for a trial of a config that is not trained yet
RANDOM = 'random'


def find_run(model: str | Path | Config, weights: str | None = None) -> tuple[Config, str | None]:
    """Find the config and the weights of a run.

    Args:
        model (str, Path or Config): Work dir, checkpoint, config file, name of a config, or config.
        weights (str, optional): Checkpoint file or URL, or :data:`RANDOM`. By default the checkpoint itself, or the
            last one of the work dir.

    Returns:
        tuple[Config, str or None]: Config, and checkpoint; None for random weights.

    Raises:
        SR4IRError: If the config or the checkpoint is missing, or there are no test images to be like.
    """
    cfg = model if isinstance(model, Config) else load_config(model)
    if not cfg.get('test_dataloader'):
        raise SR4IRError(f"The config of '{cfg.filename}' has no test_dataloader, whose pipeline is needed: set it.")
    if weights == RANDOM:
        return cfg, None
    return cfg, find_weights(cfg.filename or 'the config' if model is cfg else model, weights)


def dataset_meta(cfg: Config, weights: str | None = None) -> dict:
    """Collect the names and colors of the classes: those of the data set, and over these those of the checkpoint.

    Args:
        cfg (Config): Config of the run.
        weights (str, optional): Checkpoint file or URL.
    """
    dataset = next(data_sets(cfg.test_dataloader.dataset))
    with DATASETS.switch_scope_and_registry(None) as library:
        meta = getattr(library.get(dataset['type']), 'METAINFO', {}) | dataset.get('metainfo', {})
    stored = first_meta((read_meta(weights) if weights else {}).get('dataset_meta'))
    meta = {**meta, **{key: with_tuples(value) for key, value in stored.items() if value is not None}}
    if cfg.get('default_scope') == 'mmseg' and meta.get('classes') and meta.get('palette') is None:
        colors = np.random.RandomState(42).randint(0, 255, (len(meta['classes']), 3))  # those of mmseg's data sets
        meta['palette'] = colors.tolist()
    return meta


def with_tuples(value: Any) -> Any:
    """Turn colors that were JSON back into tuples, as which mmdet's visualizer takes them."""
    return [tuple(entry) if isinstance(entry, list) else entry for entry in value] if isinstance(value, list) else value
