"""Weights as safetensors: data that can run no code, with the metadata of a checkpoint."""

import json
from collections import OrderedDict
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from .files import new_file

#: entry of the file's own metadata, which are texts
_KEY = 'sr4ir_mm'


def write_weights(path: str | Path, state: dict[str, Tensor], meta: dict) -> None:
    """Write a state dict, the versions of its modules, and metadata.

    Args:
        path (str or Path): File to write, ``*.safetensors``.
        state (dict[str, Tensor]): State dict; tensors that share memory are written one by one.
        meta (dict): What JSON can hold; arrays become lists.
    """
    versions = {name: entry['version'] for name, entry in getattr(state, '_metadata', {}).items() if 'version' in entry}
    text = json.dumps(dict(meta=meta, versions=versions), default=_plain)
    tensors = {name: value.detach().cpu().clone().contiguous() for name, value in state.items()}
    with new_file(path) as file:
        save_file(tensors, file, {_KEY: text})  # a second entry would come in an order that changes


def read_weights(path: str | Path) -> dict:
    """Read a file of safetensors, to the CPU.

    Returns:
        dict: ``state_dict`` and ``meta`` as in a checkpoint, if :func:`write_weights` wrote it; else the state dict.
    """
    with safe_open(path, 'pt') as file:
        state = OrderedDict((name, file.get_tensor(name)) for name in file.keys())  # noqa: SIM118  no dict
        text = (file.metadata() or {}).get(_KEY)
    if text is None:
        return state
    content = json.loads(text)
    state._metadata = OrderedDict((name, dict(version=int(value))) for name, value in content['versions'].items())
    return dict(state_dict=state, meta=content['meta'])


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, 'tolist') else str(value)
