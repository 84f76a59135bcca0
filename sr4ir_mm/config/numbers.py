"""Values in a config that MMEngine and PyTorch do not check, or only after everything is built."""

import re
from typing import Any

from ..errors import SR4IRError
from ..utils import check_number

#: path of a dict -> smallest values of its numbers; they are whole numbers if that is one
_LIMITS = {
    r'\w+_dataloader(\.\d+)?': dict(batch_size=1, num_workers=0),
    r'train_cfg': dict(max_epochs=1, max_iters=1, val_interval=1),
    r'randomness': dict(seed=0),
    r'optim_wrapper\.(sr|task)': dict(accumulative_counts=1),
    r'optim_wrapper\.(sr|task)\.clip_grad': dict(max_norm=0.0),
    r'optim_wrapper\.(sr|task)\.optimizer': dict(lr=0.0, weight_decay=0.0),
    r'param_scheduler(\..+)?': dict(T_max=1),
    r'auto_scale_lr': dict(base_batch_size=1),
    r'default_hooks\.logger': dict(interval=1),
    r'model\.(.+\.)?(decode_head|auxiliary_head|bbox_head|mask_head|head)(\..+)?': dict(num_classes=1),
}
#: numbers that may be None
_OPTIONAL = {'seed', 'lr', 'T_max', 'base_batch_size', 'num_classes'}
#: what is built from a dict, or left out
_DICTS = r'(model|optim_wrapper)\.(sr|task)|default_hooks\.\w+'
#: what is always built from a dict
_NEEDED = r'\w+_dataloader(\.\d+)?\.dataset|optim_wrapper\.(sr|task)\.optimizer'
#: entries of data loaders that need workers, and their value without
_OF_WORKERS = dict(persistent_workers=False, prefetch_factor=None)


def check_values(path: str, node: Any) -> None:
    """Check an entry of a config, and the numbers in it if it is a dict.

    Args:
        path (str): Dotted key.
        node (Any): Value of the entry.

    Raises:
        SR4IRError: If it cannot be built, or a number is out of range.
    """
    if not isinstance(node, dict) and re.fullmatch(_NEEDED if node is None else f'{_DICTS}|{_NEEDED}', path):
        raise SR4IRError(f"{path}={node!r} cannot be built: set a dict with its 'type' and arguments.")
    if path == 'model.task.test_cfg' and node is None:
        raise SR4IRError(
            f'{path}=None, but the task network reads its settings for tests there: leave those of the zoo, or set a '
            "dict, such as dict(mode='whole') for a segmentor."
        )
    if path == 'param_scheduler':
        _check_schedules(node)
    if not isinstance(node, dict):
        return
    for name, low in next((limits for key, limits in _LIMITS.items() if re.fullmatch(key, path)), {}).items():
        value = node.get(name)
        if path == 'train_cfg' and isinstance(value, float) and value.is_integer():  # as MMEngine does
            value = int(value)
        if value is not None or (name in node and name not in _OPTIONAL):
            check_number(path, low=int(low), whole=isinstance(low, int), **{name: value})
    _check_related(path, node)


def _check_related(path: str, node: dict) -> None:
    """Check values that depend on another one of the same dict."""
    if re.fullmatch(r'\w+_dataloader(\.\d+)?', path):
        _check_pipelines(f'{path}.dataset', node.get('dataset'))
        for key, value in _OF_WORKERS.items():
            if node.get(key) and not node.get('num_workers'):
                raise SR4IRError(
                    f'{path}: {key}={node[key]} needs workers, but num_workers is 0. Add --cfg-options '
                    f'{path}.{key}={value}'
                )
    if path == 'auto_scale_lr' and node.get('enable') and not node.get('base_batch_size'):
        raise SR4IRError(
            'The config does not say for which batch size its learning rates are: --cfg-options '
            'auto_scale_lr.base_batch_size=NUMBER, or leave out --auto-scale-lr.'
        )
    mean, std = node.get('mean'), node.get('std')
    if isinstance(mean, (list, tuple)) and isinstance(std, (list, tuple)) and len(mean) != len(std):
        raise SR4IRError(f'{path}: mean={mean} and std={std} must have one value for each channel.')


def _check_pipelines(path: str, dataset: Any) -> None:
    """Check that the last pipeline of a data set has steps; those of data sets in it may be empty."""
    if not isinstance(dataset, dict):
        return
    if 'pipeline' not in dataset:
        _check_pipelines(f'{path}.dataset', dataset.get('dataset'))
        for i, part in enumerate(dataset.get('datasets') or ()):
            _check_pipelines(f'{path}.datasets.{i}', part)
    elif not dataset['pipeline']:
        raise SR4IRError(
            f'{path}.pipeline={dataset["pipeline"]!r} has no steps: set a list of transforms, from LoadImageFromFile '
            'to the one that packs the inputs of the task network.'
        )


def _check_schedules(schedules: Any) -> None:
    if not isinstance(schedules, (dict, list, tuple, type(None))):
        raise SR4IRError(f'param_scheduler={schedules!r} is no schedule: set a dict or a list of them, or None.')
    for name, value in schedules.items() if isinstance(schedules, dict) and 'type' not in schedules else ():
        if not isinstance(value, (dict, list)):
            raise SR4IRError(
                f'param_scheduler.{name}={value!r} is no schedule: set a dict or a list of them, [] for a constant '
                'learning rate.'
            )
