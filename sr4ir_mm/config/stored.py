"""The config that MMEngine stores in each checkpoint."""

import ast
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ..errors import SR4IRError
from .checks import find_checkpoint
from .known_types import check_types

_NUMBERS = dict(inf=float('inf'), nan=float('nan'))


def is_checkpoint(source: str | Path) -> bool:
    """Return whether a name is that of a checkpoint file or URL; PyTorch's files are zip archives."""
    name = str(source).partition('?')[0]
    return name.endswith(('.pth', '.pt', '.ckpt')) or (os.path.isfile(source) and zipfile.is_zipfile(source))


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
    try:
        entries = parse_config(text)
        for key in ('work_dir', 'launcher', *(('resume', 'load_from') if entries.get('resume') else ())):
            entries.pop(key, None)  # of that start of the training
        name = _run_name(meta) or folder.resolve().name
        cfg = Config(entries, cfg_text=text, filename=str(folder / f'{name}.py'))
    except (SyntaxError, ValueError, KeyError, TypeError, RecursionError, MemoryError) as error:
        raise SR4IRError(
            f"The config in '{path}' cannot be read as data ({error}): name the config of its training."
        ) from error
    check_types(entries, path)
    return cfg


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


def parse_config(text: str) -> dict:
    """Read the text of a config that MMEngine wrote: assignments of plain values.

    Raises:
        SyntaxError: If it is not Python.
        ValueError: If it has anything but plain values.
    """
    entries = {}
    for statement in ast.parse(text).body:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            raise ValueError(f'line {statement.lineno} is not a plain entry')
        entries[statement.targets[0].id] = _value(statement.value)
    return entries


def _run_name(meta: dict) -> str:
    """Return the name of a run, to which MMEngine adds the time."""
    return Path(re.sub(r'_\d{8}_\d{6}$', '', str(meta.get('experiment_name') or ''))).name


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Call(func=ast.Name('dict'), args=args, keywords=keywords) if all(entry.arg for entry in keywords):
            values = {entry.arg: _value(entry.value) for entry in keywords}
            return {key: value for arg in args for key, value in _pairs(_value(arg))} | values
        case ast.Dict(keys=keys, values=values) if all(keys):
            return {_value(key): _value(value) for key, value in zip(keys, values)}
        case ast.List(elts) | ast.Tuple(elts) | ast.Set(elts):
            kind: Callable = dict(List=list, Tuple=tuple, Set=set)[type(node).__name__]
            return kind(map(_value, elts))
        case ast.Name(name) if name in _NUMBERS:
            return _NUMBERS[name]
        case ast.UnaryOp(ast.USub(), operand=ast.Name(name)) if name in _NUMBERS:
            return -_NUMBERS[name]
        case _:
            return ast.literal_eval(node)


def _pairs(value: Any) -> Any:
    if not isinstance(value, dict):
        raise ValueError('dict(...) of something else than a dict')
    return value.items()
