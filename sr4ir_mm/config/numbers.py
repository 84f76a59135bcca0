"""Checks of the stages of a run and of their numbers."""

from typing import Any

from ..errors import SR4IRError
from ..utils import check_number
from .nodes import all_dicts, find_all

#: entries of data loaders that need workers, and their value without
_OF_WORKERS = dict(persistent_workers=False, prefetch_factor=None)


def check_stage(stage: str, entries: dict) -> None:
    """Check that what MMEngine needs for a stage is complete, and the numbers of its data loaders.

    Raises:
        SR4IRError: If a part is missing, or a number is out of range.
    """
    names = (f'{stage}_dataloader', f'{stage}_cfg', 'optim_wrapper' if stage == 'train' else f'{stage}_evaluator')
    missing = [name for name in names if entries.get(name) is None]
    if len(missing) in (1, 2) or (missing and stage == 'train'):
        without = ', or to None for a run without it' if stage != 'train' else ''
        raise SR4IRError(f'The config has no {" and no ".join(missing)}: set {", ".join(names)}{without}.')
    loaders = entries.get(names[0]) or []
    for loader in [loaders] if isinstance(loaders, dict) else loaders:
        _check_loader(names[0], loader)


def check_numbers(entries: dict) -> None:
    """Check numbers that MMEngine and PyTorch do not check, or only after everything is built.

    Raises:
        SR4IRError: If one is out of range.
    """
    _check_schedules(entries.get('param_scheduler'))
    _check_networks(entries.get('model'))
    lengths = {
        key: int(value) if isinstance(value, float) and value.is_integer() else value  # as MMEngine does
        for key, value in (entries.get('train_cfg') or {}).items()
    }
    _check('train_cfg', lengths, 1, 'max_epochs', 'max_iters', 'val_interval')
    _check('randomness', entries.get('randomness'), 0, 'seed')
    for name in ('sr', 'task'):
        part = (entries.get('optim_wrapper') or {}).get(name) or {}
        _check_dict(f'optim_wrapper.{name}', part)
        _check(f'optim_wrapper.{name}.clip_grad', part.get('clip_grad'), 0, 'max_norm', whole=False)
        _check(f'optim_wrapper.{name}', part, 1, 'accumulative_counts')
        _check(f'optim_wrapper.{name}.optimizer', part.get('optimizer'), 0, 'lr', 'weight_decay', whole=False)
    scaling = entries.get('auto_scale_lr') or {}
    if scaling.get('enable') and not scaling.get('base_batch_size'):
        raise SR4IRError(
            'The config does not say for which batch size its learning rates are: --cfg-options '
            'auto_scale_lr.base_batch_size=NUMBER, or leave out --auto-scale-lr.'
        )
    _check('auto_scale_lr', scaling, 1, 'base_batch_size')
    for name, hook in (entries.get('default_hooks') or {}).items():
        _check(f'default_hooks.{name}', hook, 1, *(['interval'] if name == 'logger' else []))


def _check_dict(name: str, value: Any) -> None:
    if value is not None and not isinstance(value, dict):
        raise SR4IRError(f"{name}={value!r} cannot be built: set a dict with its 'type' and arguments.")


def _check_networks(model: Any) -> None:
    for name in ('sr', 'task'):
        _check_dict(f'model.{name}', model.get(name) if isinstance(model, dict) else None)
    for name in ('decode_head', 'auxiliary_head', 'bbox_head', 'mask_head', 'head'):
        for node in all_dicts(list(find_all(model, name))):
            _check(name, node, 1, 'num_classes')
    for node in all_dicts(model):
        mean, std = node.get('mean'), node.get('std')
        if isinstance(mean, (list, tuple)) and isinstance(std, (list, tuple)) and len(mean) != len(std):
            raise SR4IRError(f'mean={mean} and std={std} must have one value for each channel.')


def _check_schedules(schedules: Any) -> None:
    if not isinstance(schedules, (dict, list, tuple, type(None))):
        raise SR4IRError(f'param_scheduler={schedules!r} is no schedule: set a dict or a list of them, or None.')
    for name, value in schedules.items() if isinstance(schedules, dict) and 'type' not in schedules else ():
        if not isinstance(value, (dict, list)):
            raise SR4IRError(
                f'param_scheduler.{name}={value!r} is no schedule: set a dict or a list of them, [] for a constant '
                'learning rate.'
            )
    for node in all_dicts(schedules):
        _check('param_scheduler', node, 1, 'T_max')


def _check_loader(name: str, loader: dict) -> None:
    _check_dict(f'{name}.dataset', loader.get('dataset'))
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
        if isinstance(node, dict) and node.get(name) is not None:
            check_number(owner, low=low, whole=whole, **{name: node[name]})
