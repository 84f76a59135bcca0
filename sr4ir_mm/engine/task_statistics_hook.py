"""The running statistics of the task network's BatchNorms, taken again for every test and checkpoint."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.dist import all_gather_object
from mmengine.hooks import EMAHook, Hook
from mmengine.runner import Runner
from torch import Tensor

from ..errors import SR4IRError
from ..models.batch_norm import batch_norms
from ..registry import HOOKS
from ..utils import check_number, unwrap
from .alternating_hook import AlternatingUpdateHook
from .evaluations import make_gallery
from .run_state import is_saved
from .screen import ShortText
from .seeding import own_random_numbers
from .task_statistics import exchange_statistics, measure_statistics
from .tested_images import ImagesAsTested


@HOOKS.register_module()
class TaskStatisticsHook(Hook):
    """A hook that tests and saves T with BatchNorm statistics of training images as T receives them at test time.

    T learns from SR, HR and mixed images, and its running statistics are those of all together, but it is tested on one
    kind. Before a validation and before a checkpoint is saved, some training images are degraded, enlarged and
    recognized as in a test, while the BatchNorms average (as mmpretrain's PreciseBNHook does with images as they are).
    The result is tested and saved; the training itself goes on with its own statistics, and is the same with and
    without this hook. With an EMAHook, the statistics are those of the averaged weights, which are tested and saved.

    Only the layers whose statistics the training changes are concerned, see ``batch_norms``; if T is frozen or has
    none, nothing is done. Nor is it, with a warning, if the pipeline of the validation does not take training images.

    Args:
        images (int, optional): Number of training images, the same ones each time. By default 256, but of few images at
            most a quarter or four batches.
        batch_size (int, optional): Images of a batch, at least 2, if those of a training batch do not fit in memory.

    Raises:
        SR4IRError: When the training starts, if an EMAHook has a priority with which it does not work together.

    Example:
        >>> default_hooks = dict(task_statistics=dict(type='sr4ir_mm.TaskStatisticsHook', images=256))
    """

    priority = 'LOW'  # after EMAHook, before CheckpointHook

    def __init__(self, images: int | None = None, batch_size: int | None = None) -> None:
        for name, value in dict(images=images, batch_size=batch_size).items():
            if value is not None:
                check_number('TaskStatisticsHook', low=2, whole=True, **{name: value})
        self.images, self.batch_size = images, batch_size
        self.source: ImagesAsTested | None = None
        self.ema: EMAHook | None = None
        #: statistics by the name of the buffer in T, and the iterations after which they were taken
        self.statistics: dict[str, Tensor] = {}
        self.taken, self.done = -1, 0

    def before_train(self, runner: Runner) -> None:
        """Find the layers and the images."""
        model = unwrap(runner.model).train()
        norms = {} if model.task is None else batch_norms(unwrap(model.task))
        if not norms:
            runner.logger.info('TaskStatisticsHook: the training changes no statistics of BatchNorms')
            return
        self.ema = next((hook for hook in runner.hooks if isinstance(hook, EMAHook)), None)
        self._check_ema(runner)
        self.taken, self.done = -1, runner.iter
        with own_random_numbers(runner.seed or 0):
            source = ImagesAsTested(runner, self.images, self.batch_size)
            # all processes or none: they exchange what they measure
            if problem := next(filter(None, all_gather_object(source.problem())), None):
                runner.logger.warning(
                    f'TaskStatisticsHook is off: the pipeline of the validation takes no training images ({problem}). '
                    'The task network is tested with the BatchNorm statistics of its training.'
                )
                return
        self.source = source
        runner.logger.info(f'TaskStatisticsHook: {len(norms)} BatchNorms, {self.source}')

    def after_train_iter(self, runner: Runner, batch_idx: int, *_: Any, **__: Any) -> None:
        """Take the statistics if a checkpoint follows."""
        self.done = runner.iter + 1
        if is_saved(runner, by_epoch=False):
            self._take(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """Take the statistics if a checkpoint follows."""
        if is_saved(runner, by_epoch=True):
            self._take(runner)

    def before_val(self, runner: Runner) -> None:
        """Take the statistics before EMAHook exchanges the weights."""
        self._take(runner)

    def before_val_epoch(self, runner: Runner) -> None:
        """Let T have them."""
        self.of_training = exchange_statistics(unwrap(runner.model).task, self._current())
        if self.of_training:
            make_gallery(unwrap(runner.model))

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Let T have those of the training again, which EMAHook has moved if it averages them, too."""
        average = self.ema and self.ema.ema_model
        owner = average.module if average is not None and average.update_buffers else unwrap(runner.model)
        exchange_statistics(owner.task, self.of_training)

    def before_test_epoch(self, runner: Runner) -> None:
        """Let T have them in a test after the training; a checkpoint holds them already."""
        self.before_val_epoch(runner)

    def after_test_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Let T have those of the training again."""
        self.after_val_epoch(runner)

    def after_train(self, runner: Runner) -> None:
        """Leave T as it is saved; EMAHook leaves the weights that it does not save."""
        self._take(runner)
        if self.ema is None:
            exchange_statistics(unwrap(runner.model).task, self._current())

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Save the statistics, and those of the training for a run that is resumed."""
        if new := {f'task.{name}': value.cpu() for name, value in self._current().items()}:
            state = checkpoint['state_dict']
            checkpoint['run_state']['statistics'] = {key: state[key] for key in new}
            state.update(new)

    def _current(self) -> dict[str, Tensor]:
        return self.statistics if self.taken == self.done else {}

    def _take(self, runner: Runner) -> None:
        if self.source is None or self.taken == self.done:
            return
        start, amp = time.perf_counter(), getattr(runner.val_loop, 'fp16', False)
        with _averaged_weights(self.ema), own_random_numbers(self.source.seed):
            self.statistics = measure_statistics(unwrap(runner.model), self.source, amp)
        self.taken = self.done
        runner.logger.info(ShortText(f'TaskStatisticsHook: took {time.perf_counter() - start:.1f} s', ''))

    def _check_ema(self, runner: Runner) -> None:
        """Check that EMAHook exchanges the weights before this hook sets the statistics, and restores first, too."""
        if self.ema is None:
            return
        first = next(hook for hook in runner.hooks if isinstance(hook, AlternatingUpdateHook))
        if not runner.hooks.index(first) < runner.hooks.index(self.ema) < runner.hooks.index(self):
            raise SR4IRError(
                f'EMAHook has the priority {self.ema.priority}, with which TaskStatisticsHook does not work together: '
                "set 'NORMAL', or leave out default_hooks.task_statistics."
            )
        if getattr(self.ema, 'evaluate_on_origin', False):
            raise SR4IRError(
                'EMAHook has evaluate_on_origin=True, but TaskStatisticsHook takes the statistics of the averaged '
                'weights only: set it to False, or leave out default_hooks.task_statistics.'
            )


@contextmanager
def _averaged_weights(ema: EMAHook | None) -> Iterator[None]:
    """Let the model have the weights that are tested."""
    if ema is not None:
        ema._swap_ema_parameters()
    try:
        yield
    finally:
        if ema is not None:
            ema._swap_ema_parameters()
