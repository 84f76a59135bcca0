"""Dotted keys of a config: what is there, and what is near."""

import difflib
from collections.abc import Collection, Sequence
from typing import Any

from mmengine.config import Config

from .arguments import ENTRIES, known_names
from .nodes import nodes_along, walk


def suggest(cfg: Config, path: Sequence[str], depth: int, names: set[str]) -> str:
    """Return the nearest entries: with the same end elsewhere, in the same dict, with the same name elsewhere."""
    near = difflib.get_close_matches(path[depth], names)
    found = (
        _in_a_network(cfg, path, depth)
        or keys_ending(cfg, path)
        or ['.'.join(_existing(cfg, [*path[:depth], name, *path[depth + 1 :]], depth + 1)) for name in near]
        or ([] if path[-1].isdigit() else keys_ending(cfg, path[-1:]))
        or difflib.get_close_matches('.'.join(path), [key for key in dotted_keys(cfg) if key.count('.') >= depth])
    )
    return advice(path[depth], names, found)


def advice(name: str, names: Collection[str], found: Sequence[str] = ()) -> str:
    """Return the end of a message about an unknown name: what was found for it, else the nearest name, else all."""
    found = found or difflib.get_close_matches(name, names, 1)
    if found:
        return f'Did you mean {" or ".join(found[:3])}?'
    return f'It has: {", ".join(sorted(names))}.' if 0 < len(names) < 30 else 'Correct it.'


def keys_ending(cfg: Config, path: Sequence[str]) -> list[str]:
    """Return the keys of a config that end like a path, the shortest first."""
    end = f'.{".".join(path)}'
    found = [key for key in dotted_keys(cfg) if key.endswith(end) and key.partition('.')[0] in ENTRIES]
    return sorted(found, key=lambda key: (not key.startswith('model'), key.count('.')))


def dotted_keys(cfg: Config) -> dict[str, Any]:
    """Return all entries that options can set, by dotted key: of lists, only the dicts in them."""
    found = {'.'.join(path): value for path, value in walk(cfg) if path}
    return {key: value for key, value in found.items() if isinstance(value, dict) or not key[-1].isdigit()}


def _in_a_network(cfg: Config, path: Sequence[str], depth: int) -> list[str]:
    """Return the same path in the entries for the networks: options of a zoo's config mean the task network."""
    node, scope = nodes_along(cfg, path[:depth])[-1], cfg.get('default_scope')
    starts = [[*path[:depth], name] for name in ('task', 'sr') if depth and name in node]  # variables have these names
    # a schedule may be one of a list
    starts = [[*s, '0'] if isinstance(node[s[-1]], list) and not path[depth].isdigit() else s for s in starts]
    nodes = [nodes_along(cfg, start) for start in starts]
    return [
        '.'.join([*start, *path[depth:]])
        for start, found in zip(starts, nodes)
        if len(found) > len(start) and path[depth] in _names(start, found[-1], scope)
    ]


def _names(path: Sequence[str], node: Any, scope: str | None) -> set[str]:
    if isinstance(node, list):
        return set(map(str, range(len(node))))
    return (known_names(path, node, scope) or set()) | set(node) if isinstance(node, dict) else set()


def _existing(cfg: Config, path: Sequence[str], least: int) -> Sequence[str]:
    """Return a path if it exists, else its start."""
    return path if len(nodes_along(cfg, path)) > len(path) else path[:least]
