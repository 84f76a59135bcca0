"""Options of a tool that is called as a function, in place of its command line."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Real
from os import PathLike
from typing import Any

from mmengine.config import DictAction

from ..errors import SR4IRError
from .keys import advice

_CALL: ContextVar[tuple[str, Mapping[str, Any]] | None] = ContextVar('call of a tool', default=None)


@contextmanager
def call(tool: str, options: Mapping[str, Any]) -> Iterator[None]:
    """Let a tool that runs inside the context take these options, instead of those of the command line.

    Args:
        tool (str): Name of the tool, for messages.
        options (Mapping[str, Any]): Names as on the command line, with underscores; None for the default.
    """
    token = _CALL.set((tool, options))
    try:
        yield
    finally:
        _CALL.reset(token)


def is_call() -> bool:
    """Return whether a tool is called as a function, so that its mistakes are exceptions."""
    return _CALL.get() is not None


def arguments(parser: argparse.ArgumentParser) -> tuple[list[str], argparse.Namespace]:
    """Return what ``parse_args`` takes: the options of the call as texts, and those that are no texts.

    Raises:
        SR4IRError: If an option is unknown, or of a kind that no command line has.
    """
    tool, options = _CALL.get() or (parser.prog, {})
    known = _names(parser)
    for name in options:
        if name not in known:
            raise SR4IRError(f"'{tool}' has no option '{name}'. {advice(name, known)}")
    positional, optional, namespace = [], [], argparse.Namespace()
    for name, action in known.items():  # the order of the positional ones
        value = options.get(name)
        if value is None and action.required:
            raise SR4IRError(f"'{tool}' needs '{name}', which is missing.")
        if isinstance(value, Mapping) and isinstance(action, DictAction):
            setattr(namespace, action.dest, dict(value))  # keeps the types of the values
        elif value is not None and not action.option_strings:
            positional += _texts(name, value)
        elif value is not None:
            optional += _option(name, action, value)
    return positional + optional, namespace


def _names(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    """Return the options of a tool by their names in Python."""
    names = {
        text.lstrip('-').replace('-', '_'): action
        for action in parser._actions
        for text in action.option_strings or [action.dest]
        if text.startswith('--') or not action.option_strings
    }
    names.pop('help', None)
    return names


def _option(name: str, action: argparse.Action, value: Any) -> list[str]:
    option = next(text for text in action.option_strings if text.lstrip('-').replace('-', '_') == name)
    if isinstance(value, bool) and isinstance(action, argparse.BooleanOptionalAction):
        return [action.option_strings[0 if value else 1]]  # --x, --no-x: False differs from nothing
    if isinstance(value, bool) and action.nargs in (0, '?'):
        return [option] * value
    if action.nargs == 0:
        raise SR4IRError(f'{name}={value!r} must be True or False.')
    texts = _texts(name, value)
    return [f'{option}={texts[0]}'] if action.nargs in (None, '?') and len(texts) == 1 else [option, *texts]


def _texts(name: str, value: Any) -> list[str]:
    values: Sequence = value if isinstance(value, (list, tuple)) else [value]
    for entry in values:
        if isinstance(entry, bool) or not isinstance(entry, (str, PathLike, Real)):
            raise SR4IRError(f'{name}={entry!r} is neither a text, a number nor a path, nor a list of them: give one.')
    return list(map(str, values))
