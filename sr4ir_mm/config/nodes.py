"""Search in the nested dicts and lists of a config."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ..utils.nested import all_dicts, walk

__all__ = ['all_dicts', 'config_name', 'drop_deletes', 'find_all', 'loads_image', 'nodes_along', 'type_name', 'walk']


def drop_deletes(node: Any) -> None:
    """Remove ``_delete_`` from nested dicts: MMEngine leaves it where nothing is deleted, and a class would get it."""
    for part in all_dicts(node):
        part.pop('_delete_', None)


def find_all(node: Any, key: str) -> Iterator[Any]:
    """Yield every value of a key in nested dicts and lists, in the order of the config."""
    return (value for path, value in walk(node) if path[-1:] == (key,))


def nodes_along(cfg: Config, path: Sequence[str]) -> list[Any]:
    """Return the nodes along a path of options as far as they exist; the first one is the whole config."""
    nodes: list[Any] = [cfg._cfg_dict]
    for key in path:
        node = nodes[-1]
        if isinstance(node, dict) and key in node:
            nodes.append(node[key])
        elif isinstance(node, list) and key.isdigit() and int(key) < len(node):
            nodes.append(node[int(key)])
        else:
            break
    return nodes


def config_name(cfg: Config) -> str:
    """Return the name of a config for messages."""
    return Path(cfg.filename or 'the config').name


def type_name(kind: Any) -> str:
    """Return the name of a type without its scope; ``kind`` is a class or a name such as 'mmdet.ResNet'."""
    return str(getattr(kind, '__name__', kind)).rpartition('.')[2]


def loads_image(step: dict) -> bool:
    """Return whether a step of a pipeline loads images."""
    name = type_name(step['type'])
    return 'LoadImage' in name or name == 'LoadRaster'
