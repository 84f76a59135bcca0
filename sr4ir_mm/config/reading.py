"""The reader of config files: one message for a file that cannot be read, and plain entries whatever its style."""

import inspect
import sys
import traceback
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.config.lazy import LazyAttr, LazyObject

from ..errors import SR4IRError
from .nodes import drop_deletes


def read_config(path: str | Path) -> Config:
    """Read a config file, with its classes as dotted names.

    MMEngine's new style (``type=Class``, ``read_base``) and classes in the usual style become names such as
    'mmdet.models.RetinaNet', which MMEngine looks up in any scope. So all configs look alike, and can be written again.

    Args:
        path (str or Path): Python file.

    Raises:
        SR4IRError: If it is not a Python file, or fails; the message has the line.
    """
    path = Path(path)
    if path.suffix != '.py':
        raise SR4IRError(
            f"'{path}' is not a config in Python: give a .py file. It may inherit from .yaml and .json files: "
            f"_base_ = '{path.with_suffix('.yaml').name}'"
        )
    try:
        cfg = Config.fromfile(path)
        entries = {key: _plain(value) for key, value in cfg._to_lazy_dict().items() if not _is_helper(value)}
    except Exception as error:  # a config is a program of the user
        raise SR4IRError(f"'{path}' cannot be read as a config{_place(error)}: {_reason(error)}") from error
    drop_deletes(entries)
    if not entries.get('default_scope') and (zoo := _zoo(entries.get('model'))):
        entries['default_scope'] = zoo  # None in the new style, but hooks and visualizers of the zoo rely on it
    return Config(entries, cfg_text=cfg.text, filename=cfg.filename, env_variables=cfg.env_variables)


def is_new_style(path: str | Path) -> bool:
    """Return whether a config file is in MMEngine's new style, from which files in the usual style cannot inherit."""
    return Path(path).is_file() and Config._is_lazy_import(str(path))


def _plain(node: Any, key: str = '') -> Any:
    """Return entries without the objects of a new-style config: classes by name, others as they are."""
    if isinstance(node, dict):
        return {key: _plain(value, key) for key, value in dict.items(node)}
    if type(node) in (list, tuple):
        return type(node)(_plain(value, key) for value in node)
    if isinstance(node, (LazyObject, LazyAttr)):
        # the name of a type is all that is needed: to import its package would take seconds
        return _name(node.module, str(node)) if key == 'type' else _plain(node.build())
    if isinstance(node, torch.dtype):
        return str(node).removeprefix('torch.')
    if inspect.isclass(node) or inspect.isroutine(node):
        known = getattr(sys.modules.get(node.__module__), node.__name__, None) is node
        return _name(node.__module__, node.__name__) if known else node
    return node


def _name(module: str, name: str) -> str:
    """Return the dotted name; that of MMEngine's initializer is compared with 'Pretrained' everywhere."""
    return 'Pretrained' if name == 'PretrainedInit' else f'{module}.{name}'


def _zoo(model: Any) -> str | None:
    """Return the package of the task network if its type is a dotted name."""
    if not isinstance(model, dict):
        return None
    task = model.get('task', model)
    package, dot, _ = str(task.get('type') if isinstance(task, dict) else '').partition('.')
    return package if dot and package in ('mmseg', 'mmdet', 'mmpretrain') else None


def _is_helper(value: Any) -> bool:
    """Return whether a value is a function of the file or a module: MMEngine drops them in the usual style only."""
    return inspect.isfunction(value) or inspect.ismodule(value)


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError) and 'Duplicate key' in str(error):
        return (
            f'two files in _base_ have the same entries ({error.args[0]}). Our schedules contain default_runtime.py: '
            'remove it from _base_. A config for --data or --sr inherits that of its zoo instead, such as '
            'mmseg::_base_/default_runtime.py.'
        )
    index = Path(getattr(error, 'filename', None) or '')
    if isinstance(error, FileNotFoundError) and index.parts[-2:] == ('.mim', 'model-index.yml'):
        package, root = index.parent.parent.name, index.parent.parent.parent
        return (
            f"the configs of {package} are not there, because the package in '{root}' is not installed: pip install "
            f'--no-deps -e {root}'
        )
    return str(error) if isinstance(error, SR4IRError) else f'{type(error).__name__}: {error}'


def _place(error: Exception) -> str:
    """Return the line of the config, or of a base of it, where an error was raised, if known."""
    if isinstance(error, SyntaxError) and error.lineno:
        return f' (line {error.lineno})'
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.name == '<module>']
    return f' ({Path(frames[0].filename).name}, line {frames[0].lineno})' if frames else ''
