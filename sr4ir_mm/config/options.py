"""``--cfg-options``: merge them into a config, and refuse those that nothing reads."""

import copy
import re
from collections.abc import Sequence

from mmengine.config import Config, ConfigDict

from ..errors import SR4IRError
from .arguments import ENTRIES, OURS, known_names, readers
from .keys import dotted_keys, keys_ending, suggest
from .nodes import config_name, drop_deletes, nodes_along
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
    paths = [key.split('.') for key in leaves(options)]
    for path in paths:
        _check_variable(before, path)
        _check_preprocessor(before, path)
        _check_structure(before, path)
    new = {tuple(path): len(nodes_along(before, path)) - 1 for path in paths}
    cfg.merge_from_dict(options)
    drop_deletes(cfg._cfg_dict)
    for path, depth in new.items():
        for i in range(depth, len(path)):
            _check_new(before, cfg, path, i)


def leaves(options: dict, prefix: str = '') -> dict:
    """Return options, which may be nested, by dotted keys; a dict that replaces another one counts as one value."""
    found: dict = {}
    for key, value in options.items():
        nested = isinstance(value, dict) and value and '_delete_' not in value
        found |= leaves(value, f'{prefix}{key}.') if nested else {f'{prefix}{key}': value}
    return found


def _check_structure(cfg: Config, path: Sequence[str]) -> None:
    """Check that the merge can descend along a path; None or the name of a scheme become a dict where one is usual."""
    nodes = nodes_along(cfg, path)
    depth, node, parent = len(nodes) - 1, nodes[-1], '.'.join(path[: len(nodes) - 1])
    if depth == 2 < len(path) and path[:2] == ['model', 'scheme'] and isinstance(node, str):
        nodes[-2]['scheme'] = ConfigDict(phases=node)  # the scheme of this name, with options
    elif depth < len(path) and node is None and known_names(path[:depth], {}, None) is not None:
        nodes[-2][path[depth - 1]] = {}
    elif depth == len(path) and isinstance(nodes[-2], list):
        raise SR4IRError(
            f"'{config_name(cfg)}' does not take the --cfg-options: MMEngine does not replace an entry of a list, such "
            f'as {parent}. Set {".".join(path[:-1])} itself.'
        )
    elif depth < len(path) and not isinstance(node, dict):
        kind, remedy = repr(node), f'Set {parent} itself'
        if isinstance(node, list):
            kind, remedy = f'a list of {len(node)} entries', f'Its entries are {parent}.0, {parent}.1, ...'
        raise SR4IRError(
            f"'{config_name(cfg)}' does not take the --cfg-options: it has no {'.'.join(path)}, because {parent} is "
            f'{kind}. {remedy}.'
        )


def _check_variable(cfg: Config, path: Sequence[str]) -> None:
    """Check that an option is for no variable of the file."""
    if path[0] in ENTRIES | OURS or path[0] not in cfg:
        return
    value = cfg[path[0]] if isinstance(cfg[path[0]], (dict, list)) and cfg[path[0]] else None
    users = keys_ending(cfg, path) or keys_ending(cfg, path[-1:]) or [
        key for key, other in dotted_keys(cfg).items() if value and other == value and key.partition('.')[0] in ENTRIES
    ]  # fmt: skip
    remedy = f'Set {" or ".join(users[:3])}.' if users else 'Set the entries that it was used for.'
    raise SR4IRError(
        f"The option '{'.'.join(path)}' changes nothing: {path[0]} is a variable of '{config_name(cfg)}', used only "
        f'while the file was read. {remedy}'
    )


def _check_preprocessor(cfg: Config, path: Sequence[str]) -> None:
    """Check that an option is for the data preprocessor that is used; in the configs of mmseg it is a variable, too."""
    places = [['model', 'task', 'data_preprocessor'], ['model', 'data_preprocessor'], ['data_preprocessor']]
    used = next((place for place in places if len(found := nodes_along(cfg, place)) > len(place) and found[-1]), None)
    given = next((place for place in places if list(path[: len(place)]) == place), None)
    if used and given and used != given:
        raise SR4IRError(
            f"The option '{'.'.join(path)}' changes nothing: {'.'.join(used)} is used. "
            f'Set {".".join([*used, *path[len(given) :]])}.'
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
        is_known = is_read(key, readers(cfg, path[:depth], scope), as_key=not nodes[depth].get('type'))
    else:
        is_known = key in (known or ())
    if not is_known:
        names = (set(nodes[depth]) | (known or set())) - {key, 'type', '_scope_'}
        raise SR4IRError(
            f"Nothing reads the option '{'.'.join(path)}': '{key}' is unknown in {parent or repr(config_name(cfg))}. "
            f'{suggest(before, path, depth, names)}'
        )
