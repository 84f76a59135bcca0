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
from .arguments import ENTRIES, OURS, find_class, known_names, type_names
from .nodes import type_name
from .numbers import check_numbers, check_stage
from .sources import is_read

STAGES = ('train', 'val', 'test')
OF_TRAINING = {'optim_wrapper', 'param_scheduler', 'auto_scale_lr'}


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
        check_stage(stage, used)
    check_numbers(used)
    _check_length(used)


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
        # other classes read these before they build something; the steps of a degradation are of kornia
        if not path or not (str(key).endswith('_cfg') or path[-1:] == ('degradation',)):
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
    if not isinstance(cfg.get('randomness', {}), dict):
        raise SR4IRError(f'randomness={cfg.randomness!r} is no dict: set randomness.seed, or leave it out.')
    if not isinstance(cfg.get('load_from'), (str, type(None))):
        raise SR4IRError(f'load_from={cfg.load_from!r} is no checkpoint: name a .pth file or a URL.')


def _check_length(entries: dict) -> None:
    """Check that an epoch ends."""
    sampler = (entries.get('train_dataloader') or {}).get('sampler') or {}
    loop = entries.get('train_cfg') or {}
    if 'Infinite' in type_name(sampler.get('type')) and (loop.get('by_epoch') or 'max_epochs' in loop):
        raise SR4IRError(
            f'train_dataloader.sampler: {sampler["type"]} has no end, but train_cfg counts epochs. Set '
            'train_dataloader.sampler.type=DefaultSampler, or a loop in iterations (train_cfg.max_iters).'
        )
