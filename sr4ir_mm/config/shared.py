"""Models that were shared: a folder with config, weights and a page about them, here or on the Hugging Face Hub."""

import os
import re
from functools import cache
from pathlib import Path

from mmengine.config import Config

from ..compat.stored_configs import read_as_data
from ..errors import SR4IRError
from .stored import SUFFIXES

CONFIG, WEIGHTS, CARD = FILES = ('config.py', 'model.safetensors', 'README.md')
#: entries of a start of a training, or of a machine: a shared model has none
OF_START = ('work_dir', 'launcher', 'resume', 'load_from')
#: user/name, user/name@revision
_NAME = re.compile(r'(\w[\w.-]*/\w[\w.-]*)(?:@([\w./-]+))?')
_SUFFIXES = ('.py', '.json', '.yaml', '.yml', *SUFFIXES, '.safetensors')


def find_shared(source: str | Path) -> Path | None:
    """Return the folder of a shared model, or None if the name is of something else.

    Args:
        source (str or Path): Folder, or its config or weights; or a name on the Hugging Face Hub, 'user/name' or
            'user/name@revision', whose files are downloaded once.

    Raises:
        SR4IRError: If the hub does not give it.
    """
    path = Path(source)
    if os.path.lexists(path):
        folder = path if path.is_dir() else path.parent
        return folder if _is_shared(folder) and (path == folder or path.name in FILES) else None
    found = _NAME.fullmatch(str(source))
    if not found or path.parent.is_dir() or path.parts[0] == 'work_dirs' or path.name.endswith(_SUFFIXES):
        return None
    folder = _download(*found.groups())
    if not _is_shared(folder):
        raise SR4IRError(f"'{source}' on the Hugging Face Hub has no {CONFIG} and {WEIGHTS}: choose another model.")
    return folder


def shared_weights(source: str | Path) -> str | None:
    """Return the file of weights of a shared model, or None; see :func:`find_shared`."""
    folder = find_shared(source)
    return str(folder / WEIGHTS) if folder else None


def shared_config(folder: Path) -> Config:
    """Return the config of a shared model, read as data: nothing in the folder is run.

    Returns:
        Config: Complete config, under the name of the folder.
    """
    text = (folder / CONFIG).read_text(encoding='utf-8', errors='replace')
    entries = read_as_data(text, str(folder / CONFIG))
    for key in OF_START:  # an unknown author must not choose where files are written
        entries.pop(key, None)
    # in the cache of the hub: models--user--name/snapshots/<revision>
    name = folder.parents[1].name.rpartition('--')[2] if folder.parent.name == 'snapshots' else folder.resolve().name
    return Config(entries, cfg_text=text, filename=str(folder / f'{name}.py'))


def _is_shared(folder: Path) -> bool:
    return (folder / CONFIG).is_file() and (folder / WEIGHTS).is_file()


@cache  # config and weights are of one revision
def _download(name: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download  # not needed for local files

    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=list(FILES)))
    except Exception as error:  # of several kinds, also of the packages below the hub's
        reason = f'{type(error).__name__}: {error}'.splitlines()[0].partition('. ')[0]
        raise SR4IRError(
            f"'{name}' is no file or folder here, and the Hugging Face Hub does not give it ({reason}). Correct the "
            'name, connect to the network, or download the model elsewhere and name its folder.'
        ) from error
