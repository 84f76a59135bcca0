"""The config that MMEngine stores in a checkpoint, read as data.

MMEngine 0.10.7 runs it as Python when an inferencer is given weights without a config. This can go when it does not.
"""

import ast
from collections.abc import Callable
from functools import wraps
from types import ModuleType
from typing import Any

from mmengine.config import Config

from ..errors import SR4IRError
from .import_hooks import Run
from .known_types import check_types

_NUMBERS = dict(inf=float('inf'), nan=float('nan'))


def read_without_running(infer: ModuleType, run: Run) -> None:
    """Let ``BaseInferencer``, from which ``MMSegInferencer`` and ``DetInferencer`` are derived, read it as data."""
    run(infer)
    init = infer.BaseInferencer._init_model

    @wraps(init)
    def init_model(self: Any, cfg: Any, weights: str | None, device: str = 'cpu') -> Any:
        if not cfg and weights:
            loaded = infer._load_checkpoint(weights, 'meta', 'silent')
            cfg.update(read_as_data(_stored_text(loaded, weights), weights))
        return init(self, cfg, weights, device)

    infer.BaseInferencer._init_model = init_model


def _stored_text(checkpoint: dict, path: str) -> str:
    """Return the config where MMEngine looks for it: in the message hub, then in the metadata."""
    for keys in (('message_hub', 'runtime_info', 'cfg'), ('meta', 'cfg')):
        text: Any = checkpoint
        for key in keys:
            text = text.get(key) if isinstance(text, dict) else None
        if isinstance(text, str):
            return text
    raise SR4IRError(f"'{path}' holds no config: name the config of its training, and then this file.")


def read_as_data(text: str, path: str) -> dict:
    """Return the entries of a config in a checkpoint; nothing in the file is run.

    Args:
        text (str): Config as MMEngine writes it.
        path (str): Checkpoint, for the message.

    Raises:
        SR4IRError: If it has anything but plain values, or names a type that is not registered.
    """
    try:
        entries = parse_config(text)
        Config(entries)  # refuses the names that it uses itself
    except (SyntaxError, ValueError, KeyError, TypeError, RecursionError, MemoryError) as error:
        raise SR4IRError(
            f"The config in '{path}' cannot be read as data ({error}): name the config of its training."
        ) from error
    check_types(entries, path)
    return entries


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
