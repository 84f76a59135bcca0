"""Checks of the entries of a config before a training: names that nothing reads, and values that make no sense."""

import difflib
import logging
import re
from collections.abc import Sequence
from importlib.util import find_spec

from mmengine.config import Config

from ..errors import SR4IRError
from .arguments import ENTRIES, OURS, find_class, known_names, readers, type_names
from .keys import advice
from .nodes import config_name, type_name, walk
from .numbers import check_values
from .sources import is_read

STAGES = ('train', 'val', 'test')
OF_TRAINING = {'optim_wrapper', 'param_scheduler', 'auto_scale_lr'}
#: dicts without a type whose entries are read by name, so that nothing would tell of a misspelled one
_BY_NAME = re.compile(
    r'(model\.(.+\.)?(train_cfg|test_cfg|data_preprocessor)|data_preprocessor)(\..+)?|optim_wrapper\..*paramwise_cfg'
)


def check_entries(cfg: Config, *stages: str) -> None:
    """Check the entries of a complete config that would be ignored, or end in an error of the class that gets them.

    Args:
        cfg (Config): Complete config.
        stages (str): What is run, 'train', 'val' and 'test' by default.

    Raises:
        SR4IRError: If an entry is misspelled, a class does not have an argument, a part is missing, or a number is out
            of range.
    """
    stages = stages or STAGES
    others = tuple(f'{stage}_' for stage in set(STAGES) - set(stages))
    used = {key: cfg[key] for key in cfg if key in ENTRIES and not key.startswith(others)}
    if 'train' not in stages:
        used = {key: value for key, value in used.items() if key not in OF_TRAINING}
    _check_top_level(cfg)
    _check_run(cfg)
    for stage in stages:
        _check_stage(stage, used)
    scopes: dict[tuple[str, ...], str | None] = {}
    for path, node in walk(used):
        scope = scopes.get(path[:-1], cfg.get('default_scope'))
        check_values('.'.join(path), node)
        if isinstance(node, dict):
            scope = node.get('_scope_') or scope
            _check_names(cfg, path, node, scope)
        scopes[path] = scope
    _check_length(used)


def _check_top_level(cfg: Config) -> None:
    """Check that no entry of the file is a misspelled one: a variable would be used in the file."""
    for key in set(cfg) - ENTRIES - OURS:
        alike = [name for name in ENTRIES if abs(len(name) - len(key)) < 3]
        found = difflib.get_close_matches(key, alike, 1, 0.8)
        if found and len(re.findall(rf'\b{re.escape(key)}\b', cfg.text)) == 1:
            raise SR4IRError(
                f"Nothing reads the entry '{key}' of '{config_name(cfg)}'. Did you mean {found[0]}? If it is a "
                'variable of yours, rename it.'
            )


def _check_run(cfg: Config) -> None:
    scope, level = cfg.get('default_scope'), cfg.get('log_level', 'INFO')
    if scope and not find_spec(scope):
        raise SR4IRError(f"The package '{scope}' is not installed. Install it, or correct default_scope.")
    if not isinstance(logging.getLevelName(level) if isinstance(level, str) else level, int):
        raise SR4IRError(f'log_level={level!r} is unknown; choose from DEBUG, INFO, WARNING and ERROR.')
    if not cfg.get('model'):
        raise SR4IRError('The config has no model: set it.')
    for key, entry in dict(randomness='seed', env_cfg='dist_cfg').items():
        if not isinstance(cfg.get(key, {}), dict):
            raise SR4IRError(f'{key}={cfg[key]!r} is no dict: set {key}.{entry}, or leave it out.')
    if not isinstance(cfg.get('load_from'), (str, type(None))):
        raise SR4IRError(f'load_from={cfg.load_from!r} is no checkpoint: name a .pth file or a URL.')
    if cfg.get('runner_type', 'Runner') != 'Runner':
        raise SR4IRError(f"runner_type='{cfg.runner_type}' is not used: SR4IR needs MMEngine's Runner. Leave it out.")
    wrapper = cfg.get('model_wrapper_cfg')  # with it, MMEngine does not read the other entry
    if cfg.get('find_unused_parameters') and wrapper and 'find_unused_parameters' not in wrapper:
        raise SR4IRError('find_unused_parameters has no effect here: set model_wrapper_cfg.find_unused_parameters.')


def _check_stage(stage: str, entries: dict) -> None:
    """Check that what MMEngine needs for a stage is complete."""
    names = (f'{stage}_dataloader', f'{stage}_cfg', 'optim_wrapper' if stage == 'train' else f'{stage}_evaluator')
    missing = [name for name in names if entries.get(name) is None]
    if len(missing) in (1, 2) or (missing and stage == 'train'):
        without = ', or to None for a run without it' if stage != 'train' else ''
        raise SR4IRError(f'The config has no {" and no ".join(missing)}: set {", ".join(names)}{without}.')


def _check_names(cfg: Config, path: Sequence[str], node: dict, scope: str | None) -> None:
    """Check that the type of a dict exists, if it has one, and that something reads the entries.

    Parts of the zoos' networks and transforms may be built by others of them, which take out what they read, or by
    other packages.
    """
    kind, where, in_pipeline = node.get('type'), '.'.join(path), 'pipeline' in path[:-2]
    by_name = not kind and _BY_NAME.fullmatch(where)
    # other classes read these before they build something; the steps of a degradation are of kornia
    others = any(key.endswith('_cfg') for key in path[1:]) and path[0] != 'model' and not by_name
    if not path or others or 'degradation' in path[:-1]:
        return
    if kind and not in_pipeline and find_class(path, kind, scope) is None:
        name = type_name(kind)
        if not is_read(name, readers(cfg, path, scope)):
            names = type_names(path, scope)
            raise SR4IRError(f"{where}: the type '{kind}' is unknown. {advice(name, names)}")
    known = known_names(path, node, scope)
    is_part = len(path) > 2 and (path[0] == 'model' or in_pipeline)
    if known is None and by_name:
        known, is_part = {key for key in node if str(key).startswith('_')}, True  # MMEngine's, such as _delete_
    for key in set(node) - known if known is not None else ():
        if not (is_part and is_read(str(key), readers(cfg, path, scope), as_key=not kind)):
            owner = f'{where}: {kind} has no argument' if kind else f'{where} has no entry'
            raise SR4IRError(f"{owner} '{key}'. {advice(str(key), known - {'type', '_scope_'})}")


def _check_length(entries: dict) -> None:
    """Check that an epoch ends."""
    sampler = (entries.get('train_dataloader') or {}).get('sampler') or {}
    loop = entries.get('train_cfg') or {}
    if 'Infinite' in type_name(sampler.get('type')) and (loop.get('by_epoch') or 'max_epochs' in loop):
        raise SR4IRError(
            f'train_dataloader.sampler: {sampler["type"]} has no end, but train_cfg counts epochs. Set '
            'train_dataloader.sampler.type=DefaultSampler, or a loop in iterations (train_cfg.max_iters).'
        )
