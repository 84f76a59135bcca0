"""Files of :file:`tools/export.py`, and what they say of the run that they are made of."""

import importlib.util
import json
import shlex
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.registry import DefaultScope

from ..compat.stored_configs import read_as_data
from ..errors import SR4IRError
from .runs import dataset_meta, find_run, with_tuples

#: entry of a file's metadata with what predictions need to know of the run
KEY = 'sr4ir_mm'
#: what runs the networks
BACKENDS = ('pytorch', 'onnxruntime', 'openvino')


def find_files(model: object, backend: str | None = None) -> list[Path]:
    """Find the files of an export.

    Args:
        model (object): What the user named. OUT.onnx stands for OUT_sr.onnx and OUT_task.onnx, if both exist, or if
            it is no file.
        backend (str, optional): One of :data:`BACKENDS` that the user asked for.

    Returns:
        list[Path]: One file, or that of the SR network and that of the task network; none for a model in PyTorch.

    Raises:
        SR4IRError: If the files are missing, or do not fit the backend.
    """
    if backend not in (None, *BACKENDS):
        raise SR4IRError(f"The backend '{backend}' is unknown; choose from: {', '.join(BACKENDS)}.")
    path = Path(model) if isinstance(model, (str, Path)) else Path()
    if path.suffix != '.onnx':
        if backend in (None, 'pytorch'):
            return []
        name = shlex.quote(str(model)) if isinstance(model, (str, Path)) else 'WORK_DIR'
        raise SR4IRError(
            f'The backend {backend} runs exported files, not a model in PyTorch: python tools/export.py {name} '
            'model.onnx --split, and name model.onnx here.'
        )
    if backend == 'pytorch':
        raise SR4IRError(f"The backend pytorch cannot run '{model}': choose onnxruntime or openvino.")
    pair = [path.with_stem(f'{path.stem}_{part}') for part in ('sr', 'task')]
    # an earlier export without --split may be there, too, which cannot be used here
    files = [path] if path.exists() and not all(file.is_file() for file in pair) else pair
    if missing := [file for file in files if not file.is_file()]:
        raise SR4IRError(f"'{path}' not found, nor '{missing[0]}' of an export with --split.")
    return files


def find_model(
    model: str | Path | Config, weights: str | None = None, backend: str | None = None, amp: bool = False
) -> tuple[Config, str | None, list[Path], dict]:
    """Find the config and the weights of a run, or the files of its export.

    Args:
        model (str, Path or Config): What the user named, see :func:`find_files` and :func:`find_run`.
        weights (str, optional): Checkpoint file or URL.
        backend (str, optional): One of :data:`BACKENDS`.
        amp (bool): Whether the user asked for mixed precision.

    Returns:
        tuple[Config, str or None, list[Path], dict]: Config; checkpoint, if the networks run in PyTorch; exported
        files; and the names and colors of the classes in them.

    Raises:
        SR4IRError: If one of them is missing, or an option has no effect.
    """
    if not (files := find_files(model, backend)):
        return *find_run(model, weights), [], {}
    if weights or amp:
        raise SR4IRError(
            f"'{files[0]}' holds its weights, in its precision: leave out weights and amp. For float16, export it with "
            '--half.'
        )
    cfg, meta = read_run(files[0])
    return cfg, None, files, meta


def run_meta(cfg: Config, weights: str | None) -> dict[str, str]:
    """Collect what :func:`read_run` reads, as entries of a file's metadata.

    Args:
        cfg (Config): Config of the run.
        weights (str, optional): Checkpoint file or URL.
    """
    if not cfg.get('test_dataloader'):
        return {}  # nothing says how images come to the task network
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope', 'mmengine')):  # that of the data set
        run = dict(config=cfg.pretty_text, dataset_meta=dataset_meta(cfg, weights))
    return {KEY: json.dumps(run, default=lambda value: np.asarray(value).tolist())}


def read_run(path: Path) -> tuple[Config, dict]:
    """Read the config of a run, and the names and colors of its classes, in an exported file; nothing is run.

    Raises:
        SR4IRError: If the file does not hold them, or the package onnx is missing.
    """
    if importlib.util.find_spec('onnx') is None:
        raise SR4IRError(f"Reading '{path}' needs onnx: pip install -r requirements/export.txt")
    import onnx  # an optional package

    entries = {entry.key: entry.value for entry in onnx.load(path, load_external_data=False).metadata_props}
    if KEY not in entries:
        raise SR4IRError(f"'{path}' holds no config, because it is not of tools/export.py: export it again.")
    run = json.loads(entries[KEY])
    meta = {key: with_tuples(value) for key, value in run['dataset_meta'].items()}
    entries, name = read_as_data(run['config'], str(path)), str(path.with_suffix('.py'))
    return Config(entries, cfg_text=run['config'], filename=name), meta
