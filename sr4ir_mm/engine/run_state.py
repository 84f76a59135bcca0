"""What a training holds and MMEngine's checkpoint lacks; only with it, a resumed run is equal to a straight one."""

from collections.abc import Iterator
from functools import reduce
from typing import Any

import numpy as np
from mmengine.dist import all_reduce_params, broadcast, is_distributed
from mmengine.hooks import CheckpointHook, EarlyStoppingHook
from mmengine.runner import EpochBasedTrainLoop, Runner
from mmengine.utils import ManagerMixin
from torch import nn

from ..utils import parts_by_name, unwrap

#: of every module; PyTorch, MMEngine or transformers save them, or set them again in a resumed run
_SET_AGAIN = {'training', '_is_init', '_params_init_info', '_modules', '_parameters', '_buffers',
              '_output_capturing_hooks_installed'}  # fmt: skip
_PACKAGES = {'mmseg', 'mmdet', 'mmpretrain', 'mmagic', 'mmcv', 'mmengine'}


def plain_attributes(model: nn.Module) -> dict[str, Any]:
    """Return the attributes of modules, and of the objects that they hold, that are numbers, strings or lists of them.

    Such are the current size of mmdet's ``BatchSyncRandomResize`` and the thresholds of Dynamic R-CNN.

    Args:
        model (nn.Module): Model, not wrapped.

    Returns:
        dict[str, Any]: Dotted path, the same with and without distributed training, to value.
    """
    found, seen = {}, set()
    for path, module in parts_by_name(model):
        if path and not type(module).__module__.startswith('torch.'):
            found.update(_plain_of(module, path, seen))
    return found


def set_attributes(model: nn.Module, values: dict[str, Any]) -> None:
    """Set what :func:`plain_attributes` returned."""
    for path, value in values.items():
        *parents, name = path.split('.')
        if name in _SET_AGAIN:  # earlier releases of this package saved those of transformers
            continue
        owner = reduce(lambda owner, parent: unwrap(getattr(owner, parent)), parents, model)
        setattr(owner, name, value)


class RunState:
    """What a training holds and MMEngine's checkpoint lacks.

    Args:
        runner (Runner): Runner before its training; attributes of its model that change later are saved.
    """

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.at_start = plain_attributes(unwrap(runner.model))
        #: iteration of the last validation, the one under way included
        self.validated = 0

    def collect(self) -> dict[str, Any]:
        """Return what changes during a training, as types that a checkpoint without pickled objects can hold."""
        attributes = plain_attributes(unwrap(self.runner.model))
        return dict(
            gradients=open_gradients(self.runner),
            attributes={k: v for k, v in attributes.items() if k not in self.at_start or v != self.at_start[k]},
            patience=[(hook.wait_count, float(hook.best_score)) for hook in _early_stopping(self.runner)],
            validated=self.validated,
        )

    def restore(self, state: dict[str, Any]) -> None:
        """Set what :meth:`collect` returned in another run."""
        model = unwrap(self.runner.model)
        self.validated = state.get('validated', 0)
        for hook, values in zip(_early_stopping(self.runner), state.get('patience', [])):
            hook.wait_count, hook.best_score = values
        set_attributes(model, state.get('attributes', {}))
        for path, gradient in state.get('gradients', {}).items():
            name, _, key = path.partition('.')
            parameter = unwrap(getattr(model, name)).get_parameter(key)
            parameter.grad = gradient.to(parameter.device)


def open_gradients(runner: Runner) -> dict[str, Any]:
    """Return the gradients of the networks whose accumulation is incomplete, by the parameter's name."""
    return {
        f'{name}.{key}': parameter.grad
        for name, wrapper in runner.optim_wrapper.items()
        if wrapper._inner_count % wrapper._accumulative_counts and wrapper._inner_count != wrapper._max_counts
        for key, parameter in unwrap(getattr(unwrap(runner.model), name)).named_parameters()
        if parameter.grad is not None
    }


def agree_before_saving(runner: Runner, by_epoch: bool) -> None:
    """Give all processes what the checkpoint of the first one will hold: buffers, and the mean of open gradients.

    Args:
        runner (Runner): Runner after an iteration or an epoch.
        by_epoch (bool): Whether an epoch has ended.
    """
    if is_distributed() and is_saved(runner, by_epoch):
        for buffer in unwrap(runner.model).buffers():
            broadcast(buffer)
        all_reduce_params(list(open_gradients(runner).values()), op='mean')


def is_saved(runner: Runner, by_epoch: bool) -> bool:
    """Return whether a checkpoint is saved after this iteration, or after this epoch."""
    every, last = ('n_epochs', 'epoch') if by_epoch else ('n_train_iters', 'iter')
    return any(
        getattr(hook, f'every_{every}')(runner, hook.interval, hook.save_begin)
        or (hook.save_last and getattr(hook, f'is_last_train_{last}')(runner))
        for hook in runner.hooks
        if isinstance(hook, CheckpointHook) and hook.by_epoch == by_epoch
    )


def inexact_parts(runner: Runner) -> list[str]:
    """Say what keeps a resumed run from being equal to a straight one.

    Args:
        runner (Runner): Runner whose training starts.

    Returns:
        list[str]: Parts of a sentence, each with the remedy; empty if nothing does.
    """
    loader = runner.train_dataloader
    if not isinstance(runner.train_loop, EpochBasedTrainLoop):
        return []  # the batches so far are loaded again
    parts = []
    if loader.num_workers and loader.persistent_workers:
        parts.append('train_dataloader.persistent_workers=True: workers go on from epoch to epoch; set it to False')
    caches = sorted({type(step).__name__ for step in _transforms(loader.dataset) if hasattr(step, 'results_cache')})
    if caches and not loader.num_workers:
        parts.append(f'{caches[0]} keeps images from epoch to epoch; set train_dataloader.num_workers=1')
    return parts


def _transforms(dataset: Any) -> Iterator[Any]:
    yield from getattr(getattr(dataset, 'pipeline', None), 'transforms', [])
    for inner in [getattr(dataset, 'dataset', None), *getattr(dataset, 'datasets', [])]:
        if inner is not None:
            yield from _transforms(inner)


def _early_stopping(runner: Runner) -> list[EarlyStoppingHook]:
    return [hook for hook in runner.hooks if isinstance(hook, EarlyStoppingHook)]


def _plain_of(owner: Any, prefix: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    seen.add(id(owner))
    for name, value in list(vars(owner).items()):
        path = f'{prefix}.{name}'
        if name in _SET_AGAIN or '.' in name:
            continue
        if _is_plain(value):
            yield path, _copy(value)
        elif _has_state(value) and id(value) not in seen:
            yield from _plain_of(value, path, seen)


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str, np.number))


def _copy(value: Any) -> Any:
    """Copy as types that a checkpoint without pickled objects can hold."""
    if isinstance(value, (list, tuple)):
        return type(value)(map(_copy, value)) if type(value) in (list, tuple) else tuple(map(_copy, value))
    return value.item() if isinstance(value, np.number) else value


def _has_state(value: Any) -> bool:
    is_ours = type(value).__module__.partition('.')[0] in _PACKAGES
    return is_ours and hasattr(value, '__dict__') and not isinstance(value, (nn.Module, ManagerMixin, type))
