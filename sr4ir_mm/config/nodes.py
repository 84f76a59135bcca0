"""Search in the nested dicts and lists of a config."""

from collections.abc import Iterator
from typing import Any


def all_dicts(node: Any) -> Iterator[dict]:
    """Yield every dict in nested dicts and lists; an outer dict comes before the dicts in it."""
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for value in node:
            yield from all_dicts(value)


def find_all(node: Any, key: str) -> Iterator[Any]:
    """Yield every value of a key in nested dicts and lists, in the order of the config."""
    if isinstance(node, dict):
        for k, value in node.items():
            if k == key:
                yield value
            yield from find_all(value, key)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from find_all(value, key)


def type_name(kind: Any) -> str:
    """Return the name of a type without its scope; ``kind`` is a class or a name such as 'mmdet.ResNet'."""
    return str(getattr(kind, '__name__', kind)).rpartition('.')[2]
