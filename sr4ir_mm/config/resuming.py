"""What a training that goes on may change: anything but the scheme, the networks and the data."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log

from ..errors import SR4IRError
from ..models.scheme import build_scheme
from ..utils.nested import walk
from .nodes import type_name

_OTHER = {
    'another task network': 'model.task.',
    'another super-resolution network': ('model.sr.', 'model.scale'),
    'another enlargement': 'model.align_corners',
    'another network for the TDP loss': 'model.tdp_net',
    'other training data': 'train_dataloader.dataset.',
    'other validation data': 'val_dataloader.dataset.',
}
#: entries of networks that leave the network as it is, besides losses and dropout
_TUNED = {'init_cfg', 'pretrained', 'checkpoint', 'with_cp', 'train_cfg', 'test_cfg', 'frozen_stages', 'norm_eval'}
#: entries of data sets that leave the data as they are; a data_root may have been moved
_OF_LOADING = {'pipeline', 'data_root', 'lazy_init', 'serialize_data', 'max_refetch', 'backend_args', 'times'}
#: parts of a config that decide the training
_PARTS = ('model', 'optim_wrapper', 'param_scheduler', 'train_cfg', 'val_cfg', 'train_dataloader', 'val_dataloader',
          'val_evaluator', 'default_hooks', 'custom_hooks', 'randomness', 'auto_scale_lr', 'compile')  # fmt: skip
#: entries of them that do not
_SILENT = ('model.scheme', 'model.may_differ', 'default_hooks.logger', 'default_hooks.visualization',
           'randomness.seed')  # fmt: skip


def check_changes(path: str, then: Config, now: Config, allowed: bool = False) -> None:
    """Refuse to resume another training, and log what else differs.

    Args:
        path (str): Checkpoint, for the message.
        then (Config): Config that it holds.
        now (Config): Config of the training that is to go on.
        allowed (bool): Whether the user has asked for any change.

    Raises:
        SR4IRError: If the scheme, a network or the data are others.
    """
    notes = []
    for kind, text in _changes(then, now):
        if kind and not allowed:
            raise SR4IRError(
                f"'{path}' is of {kind}: {text}. Resume with the config of its training, or add --allow-changes if "
                f'this is meant. To start from the weights, leave out --resume: --cfg-options load_from={path}'
            )
        notes.append(text)
    if notes:
        more = f' and {len(notes) - 8} more' if len(notes) > 8 else ''
        print_log(f'Resumed with other entries: {"; ".join(notes[:8])}{more}', 'current', logging.WARNING)


def _changes(then: Config, now: Config) -> Iterator[tuple[str, str]]:
    """Yield what makes it another training, or '', and the change as text."""
    schemes = [(cfg.get('model') or {}).get('scheme', 'SR4IR') for cfg in (then, now)]
    if build_scheme(schemes[0]) != build_scheme(schemes[1]):
        yield 'another scheme', f'model.scheme is {schemes[1]}, and was {schemes[0]}'
    old, new = _entries(then), _entries(now)
    for key in sorted(old.keys() | new.keys(), key=lambda key: (not _kind(key), key)):
        if old.get(key) != new.get(key) and not key.startswith(_SILENT):
            was, is_now = (repr(entries[key]) if key in entries else 'missing' for entries in (old, new))
            yield _kind(key), f'{key} is {is_now}, and was {was}'


def _kind(key: str) -> str:
    names = key.split('.')
    ignored = _OF_LOADING if '.dataset.' in key else _TUNED
    if ignored & set(names) or ('.dataset.' not in key and any('loss' in name or 'drop' in name for name in names)):
        return ''
    return next((kind for kind, start in _OTHER.items() if key.startswith(start)), '')


def _entries(cfg: Config) -> dict[str, Any]:
    """Return the values of a config by their dotted keys, in one form for what means the same."""
    parts = {name: cfg[name] for name in _PARTS if name in cfg}
    roots = {'.'.join(path[:-1]): str(value) for path, value in walk(parts) if path[-1:] == ('data_root',) and value}
    values = {'.'.join(path): (path[-1], value) for path, value in _leaves(parts)}
    return {
        key: type_name(value).replace('SyncBN', 'BN') if name == 'type' else _below(roots, key, value)
        for key, (name, value) in values.items()
        if value is not None
    }


def _leaves(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the values in nested dicts and lists; a list of numbers or names is one value."""
    is_list = isinstance(node, (list, tuple))
    if isinstance(node, dict) or (is_list and any(isinstance(value, (dict, list, tuple)) for value in node)):
        for key, value in enumerate(node) if is_list else node.items():
            yield from _leaves(value, (*path, str(key)))
    else:
        yield path, list(node) if is_list else node


def _below(roots: dict[str, str], key: str, value: Any) -> Any:
    """Return a path of a data set relative to its ``data_root``, which may have been moved."""
    root = next((root for node, root in roots.items() if node and key.startswith(f'{node}.')), None)
    if root and value != root and isinstance(value, str) and Path(value).is_relative_to(root):
        return Path(value).relative_to(root).as_posix()
    return value
