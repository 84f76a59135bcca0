"""Searching the nested dicts and lists of a config."""

from collections.abc import Iterator
from typing import Any


def find_all(node: Any, key: str) -> Iterator[Any]:
    """Every value that this key has anywhere in nested dicts and lists."""
    if isinstance(node, dict):
        for k, value in node.items():
            if k == key:
                yield value
            yield from find_all(value, key)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from find_all(value, key)


def numbers(node: Any, key: str) -> Iterator[int]:
    """Every whole number that this key has, alone or in a list."""
    for value in find_all(node, key):
        yield from (v for v in (value if isinstance(value, (list, tuple)) else [value]) if isinstance(v, int))


def type_name(kind: Any) -> str:
    """Of a class, or of its name with or without a scope."""
    return str(getattr(kind, '__name__', kind)).rpartition('.')[2]
