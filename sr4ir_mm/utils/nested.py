"""Search in nested dicts and lists."""

from collections.abc import Iterator
from typing import Any


def walk(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the keys that lead to each entry of nested dicts and lists, and its value; outer entries come first."""
    yield path, node
    is_dict = hasattr(node, 'items')  # a dict, or MMEngine's Config
    pairs = list(node.items()) if is_dict else enumerate(node) if isinstance(node, (list, tuple)) else ()
    for key, value in pairs:
        yield from walk(value, (*path, str(key)))


def all_dicts(node: Any) -> Iterator[dict]:
    """Yield every dict in nested dicts and lists; an outer dict comes before the dicts in it."""
    return (value for _, value in walk(node) if isinstance(value, dict))
