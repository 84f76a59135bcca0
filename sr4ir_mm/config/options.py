"""``--cfg-options``: merge them into a config, and refuse those that nothing reads."""

import copy
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ..errors import SR4IRError
from .arguments import ENTRIES, OURS, find_class, is_plain, known_names
from .keys import items, keys_ending, nodes_along, suggest
from .sources import is_read

#: dicts whose keys a user chooses
_FREE = r'model\.tdp\.layers|.*\.custom_keys|pretraining'


def merge_options(cfg: Config, options: dict) -> None:
    """Merge dotted keys and values into a config, in place.

    Entries that the config has are read, but for its variables: those were used when the file was read. New entries
    must be arguments of the class whose dict they are in, or words in the source of the packages that read the dict.

    Args:
        cfg (Config): Config.
        options (dict): Dotted keys and values; values may be nested dicts.

    Raises:
        SR4IRError: If an option does not fit, or nothing reads it. The message has the nearest entries.
    """
    before = copy.copy(cfg)
    paths = [key.split('.') for key in _leaves(options)]
    for path in paths:
        _check_variable(before, path)
        _check_structure(before, path)
    new = {tuple(path): len(nodes_along(before, path)) - 1 for path in paths}
    cfg.merge_from_dict(options)
    for path, depth in new.items():
        for i in range(depth, len(path)):
            _check_new(before, cfg, path, i)


def _check_structure(cfg: Config, path: Sequence[str]) -> None:
    """Check that the merge can descend along a path; None becomes a dict where one is usual."""
    nodes = nodes_along(cfg, path)
    depth, node = len(nodes) - 1, nodes[-1]
    if depth == len(path) or isinstance(node, dict):
        return
    parent = '.'.join(path[:depth])
    if node is None and is_plain(path[:depth]):
        nodes[-2][path[depth - 1]] = {}
        return
    kind, remedy = repr(node), f'Set {parent} itself'
    if isinstance(node, list):
        kind, remedy = f'a list of {len(node)} entries', f'Its entries are {parent}.0, {parent}.1, ...'
    raise SR4IRError(
        f"'{_name(cfg)}' does not take the --cfg-options: it has no {'.'.join(path)}, because {parent} is {kind}. "
        f'{remedy}.'
    )


def _check_variable(cfg: Config, path: Sequence[str]) -> None:
    """Check that an option is for no variable of the file."""
    if path[0] in ENTRIES | OURS or path[0] not in cfg:
        return
    value = cfg[path[0]] if isinstance(cfg[path[0]], (dict, list)) and cfg[path[0]] else None
    users = keys_ending(cfg, path) or keys_ending(cfg, path[-1:]) or [
        key for key, other in items(cfg) if value and other == value and key.partition('.')[0] in ENTRIES
    ]  # fmt: skip
    remedy = f'Set {" or ".join(users[:3])}.' if users else 'Set the entries that it was used for.'
    raise SR4IRError(
        f"The option '{'.'.join(path)}' changes nothing: {path[0]} is a variable of '{_name(cfg)}', used only while "
        f'the file was read. {remedy}'
    )


def _check_new(before: Config, cfg: Config, path: Sequence[str], depth: int) -> None:
    """Check that something reads the entry ``path[depth]`` of the dict at ``path[:depth]``, which has it now."""
    nodes, key, parent = nodes_along(cfg, path), path[depth], '.'.join(path[:depth])
    if re.fullmatch(_FREE, parent) and depth == len(path) - 1:
        return
    if parent == 'default_hooks' and isinstance(nodes[2], dict) and 'type' in nodes[2]:
        return
    scopes = [node['_scope_'] for node in nodes[: depth + 1] if isinstance(node, dict) and node.get('_scope_')]
    scope = [cfg.get('default_scope'), *scopes][-1]
    known = known_names(path[:depth], nodes[depth], scope)
    if known is None and not key.isdigit():
        is_known = is_read(key, _packages(cfg, path, nodes[: depth + 1], scope))
    else:
        is_known = key in (known or ())
    if not is_known:
        names = (set(nodes[depth]) | (known or set())) - {key, 'type', '_scope_'}
        raise SR4IRError(
            f"Nothing reads the option '{'.'.join(path)}': '{key}' is unknown in {parent or repr(_name(cfg))}. "
            f'{suggest(before, path, depth, names)}'
        )


def _packages(cfg: Config, path: Sequence[str], nodes: Sequence[Any], scope: str | None) -> list[str]:
    """Return the packages that may read the dict at the end of ``nodes``."""
    found = ['mmengine', 'mmcv', 'sr4ir_mm', *filter(None, [scope])]
    for depth, node in enumerate(nodes):
        if depth and isinstance(node, dict) and node.get('type'):
            target = find_class(path[:depth], node['type'], scope)
            found.append(getattr(target, '__module__', '').partition('.')[0])
    imports = (cfg.get('custom_imports') or {}).get('imports') or []
    return [*found, *(name.partition('.')[0] for name in ([imports] if isinstance(imports, str) else imports))]


def _leaves(options: dict, prefix: str = '') -> Iterator[str]:
    """Yield the dotted keys of options; a dict that replaces another one counts as one value."""
    for key, value in options.items():
        if isinstance(value, dict) and value and '_delete_' not in value:
            yield from _leaves(value, f'{prefix}{key}.')
        else:
            yield f'{prefix}{key}'


def _name(cfg: Config) -> str:
    return Path(cfg.filename or 'the config').name
