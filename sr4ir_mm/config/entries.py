"""Checks of the entries of a config before a training: names that nothing reads, and numbers out of range."""

import difflib
import logging
import re
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ..errors import SR4IRError
from ..utils import check_number
from .arguments import ENTRIES, OURS, find_class, is_read, known_names, type_names
from .nodes import type_name

STAGES = ('train', 'val', 'test')
OF_TRAINING = {'optim_wrapper', 'param_scheduler', 'auto_scale_lr'}
#: entries of data loaders that need workers, and their value without
_OF_WORKERS = dict(persistent_workers=False, prefetch_factor=None)


def check_entries(cfg: Config, *stages: str) -> None:
    """Check the entries of a complete config that would be ignored, or end in an error of the class that gets them.

    Args:
        cfg (Config): Complete config.
        stages (str): What is run, 'train', 'val' and 'test' by default.

    Raises:
        SR4IRError: If a top-level entry is misspelled, a class does not have an argument, or a number is out of range.
    """
    stages = stages or STAGES
    others = tuple(f'{stage}_' for stage in set(STAGES) - set(stages))
    used = {key: cfg[key] for key in cfg if key in ENTRIES and not key.startswith(others)}
    if 'train' not in stages:
        used = {key: value for key, value in used.items() if key not in OF_TRAINING}
    _check_top_level(cfg)
    _check_run(cfg)
    for path, node, scope in _typed(used, cfg.get('default_scope')):
        _check_type(path, node, scope)
    for stage in stages:
        _check_stage(stage, used)
    _check_numbers(used)


def _check_top_level(cfg: Config) -> None:
    """Check that no entry of the file is a misspelled one: a variable would be used in the file."""
    for key in set(cfg) - ENTRIES - OURS:
        alike = [name for name in ENTRIES if abs(len(name) - len(key)) < 3]
        near = difflib.get_close_matches(key, alike, 1, 0.8)
        if near and len(re.findall(rf'\b{re.escape(key)}\b', cfg.text)) == 1:
            name = Path(cfg.filename or 'the config').name
            raise SR4IRError(
                f"Nothing reads the entry '{key}' of '{name}'. Did you mean {near[0]}? If it is a variable of yours, "
                'rename it.'
            )


def _typed(
    node: Any, scope: str | None, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], dict, str | None]]:
    """Yield the path, the dict and the scope of everything that is built from a type."""
    if isinstance(node, dict):
        scope = node.get('_scope_') or scope
        if node.get('type'):
            yield path, node, scope
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, (list, tuple)) else ()
    for key, value in pairs:
        if not path or not str(key).endswith('_cfg'):  # other classes read these before they build something
            yield from _typed(value, scope, (*path, str(key)))


def _check_type(path: Sequence[str], node: dict, scope: str | None) -> None:
    """Check that a type exists and has the arguments.

    Parts of the zoos' networks and transforms may be built by others of them, which take out what they read, or by
    other packages.
    """
    kind, where = node['type'], '.'.join(path)
    is_part = path[0] == 'model' or 'pipeline' in path[:-2]
    packages = ['mmengine', 'mmcv', 'sr4ir_mm', *filter(None, [scope])]
    known = known_names(path, node, scope)
    if find_class(path, kind, scope) is None and 'pipeline' not in path[:-2] and not is_read(type_name(kind), packages):
        raise SR4IRError(f"{where}: the type '{kind}' is unknown. {_nearest(type_name(kind), type_names(path, scope))}")
    for key in node if known is not None else ():
        if key not in known and not (is_part and len(path) > 2 and is_read(key, packages)):
            raise SR4IRError(f"{where}: {kind} has no argument '{key}'. {_nearest(key, known - {'type', '_scope_'})}")


def _nearest(name: str, names: set[str]) -> str:
    near = difflib.get_close_matches(name, names, 1)
    if near:
        return f'Did you mean {near[0]}?'
    return f'It has: {", ".join(sorted(names))}.' if len(names) < 30 else 'Correct it.'


def _check_run(cfg: Config) -> None:
    scope, level = cfg.get('default_scope'), cfg.get('log_level', 'INFO')
    if scope and not find_spec(scope):
        raise SR4IRError(f"The package '{scope}' is not installed. Install it, or correct default_scope.")
    if not isinstance(logging.getLevelName(level) if isinstance(level, str) else level, int):
        raise SR4IRError(f'log_level={level!r} is unknown; choose from DEBUG, INFO, WARNING and ERROR.')
    if not cfg.get('model'):
        raise SR4IRError('The config has no model: set it.')


def _check_stage(stage: str, entries: dict) -> None:
    """Check that what MMEngine needs for a stage is complete, and its data loaders."""
    names = (f'{stage}_dataloader', f'{stage}_cfg', 'optim_wrapper' if stage == 'train' else f'{stage}_evaluator')
    missing = [name for name in names if entries.get(name) is None]
    if len(missing) in (1, 2) or (missing and stage == 'train'):
        without = ', or to None for a run without it' if stage != 'train' else ''
        raise SR4IRError(f'The config has no {" and no ".join(missing)}: set {", ".join(names)}{without}.')
    loaders = entries.get(names[0]) or []
    for loader in [loaders] if isinstance(loaders, dict) else loaders:
        _check_loader(names[0], loader)


def _check_numbers(entries: dict) -> None:
    """Check numbers that MMEngine and PyTorch do not check, or only after everything is built."""
    _check_schedules(entries.get('param_scheduler'))
    _check('train_cfg', entries.get('train_cfg'), 1, 'max_epochs', 'max_iters', 'val_interval')
    _check('randomness', entries.get('randomness'), 0, 'seed')
    for name in ('sr', 'task'):
        part = (entries.get('optim_wrapper') or {}).get(name) or {}
        _check(f'optim_wrapper.{name}', part, 1, 'accumulative_counts')
        _check(f'optim_wrapper.{name}.optimizer', part.get('optimizer'), 0, 'lr', 'weight_decay', whole=False)
    scaling = entries.get('auto_scale_lr') or {}
    if scaling.get('enable') and not scaling.get('base_batch_size'):
        raise SR4IRError(
            'The config does not say for which batch size its learning rates are: --cfg-options '
            'auto_scale_lr.base_batch_size=NUMBER, or leave out --auto-scale-lr.'
        )
    _check('auto_scale_lr', scaling, 1, 'base_batch_size')


def _check_schedules(schedules: Any) -> None:
    for name, value in schedules.items() if isinstance(schedules, dict) and 'type' not in schedules else ():
        if not isinstance(value, (dict, list)):
            raise SR4IRError(
                f'param_scheduler.{name}={value!r} is no schedule: set a dict or a list of them, [] for a constant '
                'learning rate.'
            )


def _check_loader(name: str, loader: dict) -> None:
    _check(name, loader, 1, 'batch_size')
    _check(name, loader, 0, 'num_workers')
    for key, value in _OF_WORKERS.items():
        if loader.get(key) and not loader.get('num_workers'):
            raise SR4IRError(
                f'{name}: {key}={loader[key]} needs workers, but num_workers is 0. Add --cfg-options '
                f'{name}.{key}={value}'
            )


def _check(owner: str, node: dict | None, low: int, *names: str, whole: bool = True) -> None:
    for name in names:
        if node and node.get(name) is not None:
            check_number(owner, low=low, whole=whole, **{name: node[name]})
