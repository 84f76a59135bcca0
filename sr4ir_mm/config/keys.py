"""Dotted keys of a config: what is there, and what is near."""

import difflib
from collections.abc import Iterator, Sequence
from typing import Any

from mmengine.config import Config

from .arguments import ENTRIES


def suggest(cfg: Config, path: Sequence[str], depth: int, names: set[str]) -> str:
    """Return the nearest entries: with the same end elsewhere, in the same dict, with the same name elsewhere."""
    near = difflib.get_close_matches(path[depth], names)
    found = (
        keys_ending(cfg, path)
        or ['.'.join(_existing(cfg, [*path[:depth], name, *path[depth + 1 :]], depth + 1)) for name in near]
        or keys_ending(cfg, path[-1:])
        or difflib.get_close_matches('.'.join(path), [key for key, _ in items(cfg) if key.count('.') >= depth])
    )
    if found:
        return f'Did you mean {" or ".join(found[:3])}?'
    return f'It has: {", ".join(sorted(names)[:12])}.' if names else 'Correct the key.'


def keys_ending(cfg: Config, path: Sequence[str]) -> list[str]:
    """Return the keys of a config that end like a path, the shortest first."""
    end = f'.{".".join(path)}'
    found = [key for key, _ in items(cfg) if key.endswith(end) and key.partition('.')[0] in ENTRIES]
    return sorted(found, key=lambda key: (not key.startswith('model'), key.count('.')))


def _existing(cfg: Config, path: Sequence[str], least: int) -> Sequence[str]:
    """Return a path if it exists, else its start."""
    return path if len(nodes_along(cfg, path)) > len(path) else path[:least]


def nodes_along(cfg: Config, path: Sequence[str]) -> list[Any]:
    """Return the nodes along a path as far as they exist; the first one is the whole config."""
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


def items(node: Any, prefix: str = '') -> Iterator[tuple[str, Any]]:
    """Yield the dotted keys and values of all entries in nested dicts and lists."""
    pairs = node.items() if hasattr(node, 'items') else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        yield f'{prefix}{key}', value
        yield from items(value, f'{prefix}{key}.')
