"""The config that MMEngine stores in each checkpoint."""

import os
import re
import zipfile
from pathlib import Path

from mmengine.config import Config

from ..compat.stored_configs import read_as_data
from ..errors import SR4IRError
from .checks import find_checkpoint

#: suffixes of files of PyTorch
SUFFIXES = ('.pth', '.pt', '.ckpt')


def is_checkpoint(source: str | Path) -> bool:
    """Return whether a name is that of a checkpoint file or URL; PyTorch's files are zip archives."""
    name = str(source).partition('?')[0]
    return name.endswith(SUFFIXES) or (os.path.isfile(source) and zipfile.is_zipfile(source))


def stored_config(path: str | Path) -> Config:
    """Return the config of the training that wrote a checkpoint.

    It is read as data: nothing in the file is run.

    Args:
        path (str or Path): File or URL.

    Returns:
        Config: Complete config, whose file name is that of the run, in the folder of the checkpoint.

    Raises:
        SR4IRError: If the checkpoint is missing, damaged, or holds no config.
    """
    path = str(path)
    meta = read_meta(path)
    if not isinstance(text := meta.get('cfg'), str):
        raise SR4IRError(
            f"'{path}' holds no config, because it is not of tools/train.py or was stripped: name the config of its "
            'training, and then this file.'
        )
    folder = Path() if '://' in path else Path(path).parent
    entries = read_as_data(text, path)
    for key in ('work_dir', 'launcher', *(('resume', 'load_from') if entries.get('resume') else ())):
        entries.pop(key, None)  # of that start of the training
    name = _run_name(meta) or folder.resolve().name
    return Config(entries, cfg_text=text, filename=str(folder / f'{name}.py'))


def training_of(path: str | Path) -> str:
    """Return when the start of the training began that wrote a checkpoint, '20260101_235959', or '' if unknown."""
    try:
        name = str(read_meta(path).get('experiment_name') or '')
    except SR4IRError:  # damaged, or not of MMEngine
        return ''
    found = re.search(r'\d{8}_\d{6}$', name)
    return found[0] if found else ''


def read_meta(path: str | Path) -> dict:
    """Return what a checkpoint holds besides weights, and the names of its entries as 'entries', without its tensors.

    Raises:
        SR4IRError: If the checkpoint is missing or damaged.
    """
    from mmengine.runner import CheckpointLoader  # takes seconds

    loaded = CheckpointLoader.load_checkpoint(find_checkpoint(str(path)), map_location='meta', logger='silent')
    meta = loaded.get('meta') if isinstance(loaded, dict) else None
    return {**(meta if isinstance(meta, dict) else {}), 'entries': list(loaded)}


def _run_name(meta: dict) -> str:
    """Return the name of a run, to which MMEngine adds the time."""
    return Path(re.sub(r'_\d{8}_\d{6}$', '', str(meta.get('experiment_name') or ''))).name
