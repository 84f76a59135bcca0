"""What inference needs to know of a run: its config, its weights, and the names of its classes."""

from pathlib import Path

from mmengine.config import Config
from mmengine.registry import DATASETS
from mmengine.runner import CheckpointLoader

from ..config import find_checkpoint, last_checkpoint, load_config


def find_run(model: str | Path | Config, weights: str | None = None) -> tuple[Config, str | None]:
    """Find the config and the weights of a run.

    Args:
        model (str, Path or Config): Config file, name of a config, work dir, or config.
        weights (str, optional): Checkpoint file or URL. By default the last one of the work dir.

    Raises:
        SR4IRError: If the config or the checkpoint is missing.
    """
    if not isinstance(model, Config):
        folder = Path(model)
        model = load_config(model)
        if weights is None and folder.is_dir():
            weights = str(last_checkpoint(folder) or folder / 'epoch_*.pth')
    return model, find_checkpoint(weights) if weights else None


def dataset_meta(cfg: Config, weights: str | None = None) -> dict:
    """Collect the names and colors of the classes: those of the data set, and over these those of the checkpoint.

    Args:
        cfg (Config): Config of the run.
        weights (str, optional): Checkpoint file or URL.
    """
    dataset = cfg.test_dataloader.dataset
    with DATASETS.switch_scope_and_registry(None) as library:
        meta = getattr(library.get(dataset['type']), 'METAINFO', {}) | dataset.get('metainfo', {})
    checkpoint = CheckpointLoader.load_checkpoint(weights, map_location='cpu') if weights else {}
    stored = (checkpoint.get('meta') or {}).get('dataset_meta') or {}
    return {**meta, **{key: value for key, value in stored.items() if value is not None}}
