"""How far a run is: a bar on a terminal, and log lines that do not keep a user waiting."""

import time
from datetime import timedelta

from mmengine.hooks import Hook, LoggerHook
from mmengine.runner import BaseLoop, Runner

from .runtime_info_hook import DeferredRuntimeInfoHook
from .screen import Screen

#: longest time in seconds between two log lines, if an iteration does not take longer
PATIENCE = 60
_PACES = [n * ten for ten in (1000, 100, 10, 1) for n in (5, 2, 1)]
_BAR = 24  # characters


class LogPaceHook(Hook):
    """A hook that logs more often than the config says where a minute or more would pass without a line.

    The time is that of the first ten iterations; it also counts where the interval is longer than an epoch.

    Example:
        >>> runner.register_hook(LogPaceHook())
    """

    priority = 'VERY_HIGH'  # before the losses of the iteration are passed on, and logged

    def before_train(self, runner: Runner) -> None:
        """Find the hooks whose interval counts."""
        loggers = [hook for hook in runner.hooks if isinstance(hook, (LoggerHook, DeferredRuntimeInfoHook))]
        self.asked = [(hook, hook.interval) for hook in loggers]
        self.start, self.count = time.perf_counter(), 0

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        """Set the intervals after each of the first iterations."""
        if 1 <= self.count <= 10:
            seconds = (time.perf_counter() - self.start) / self.count
            for hook, interval in self.asked:
                hook.interval = log_interval(interval, seconds)
        self.count += 1


def log_interval(asked: int, seconds: float) -> int:
    """Return an interval of log lines.

    Args:
        asked (int): Interval of the config, in iterations.
        seconds (float): Time of an iteration.

    Returns:
        int: The same, or a round number of iterations that take at most a minute; 1 if one takes longer.
    """
    return asked if asked * seconds <= PATIENCE else next((n for n in _PACES if n * seconds <= PATIENCE), 1)


class ProgressHook(Hook):
    """A hook that shows a bar with the remaining time on a terminal, in the first process.

    Args:
        screen (Screen): Screen of the run.

    Example:
        >>> runner.register_hook(ProgressHook(runner.screen))
    """

    priority = 'LOWEST'  # below the line of the iteration

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.drawn = 0.0

    def before_train(self, runner: Runner) -> None:
        """Start the clock."""
        self.start, self.first = time.perf_counter(), runner.iter

    def after_train_iter(self, runner: Runner, batch_idx: int, *_: object, **__: object) -> None:
        """Show how much of the training is done; the remaining time counts validations as they have been so far."""
        done, total = runner.iter + 1, runner.max_iters
        pace = (time.perf_counter() - self.start) / (done - self.first)
        self._show('training', done, total, pace)

    def before_val_epoch(self, runner: Runner) -> None:
        """Start the clock of a validation."""
        self.part_start = time.perf_counter()

    def before_test_epoch(self, runner: Runner) -> None:
        """Start the clock of a test."""
        self.part_start = time.perf_counter()

    def after_val_iter(self, runner: Runner, batch_idx: int, *_: object, **__: object) -> None:
        """Show how much of a validation is done."""
        self._show_part('validation', batch_idx + 1, runner.val_loop)

    def after_test_iter(self, runner: Runner, batch_idx: int, *_: object, **__: object) -> None:
        """Show how much of a test is done."""
        self._show_part('test', batch_idx + 1, runner.test_loop)

    def _show_part(self, name: str, done: int, loop: BaseLoop) -> None:
        pace = (time.perf_counter() - self.part_start) / done
        self._show(name, done, len(loop.dataloader), pace)

    def _show(self, name: str, done: int, total: int, pace: float) -> None:
        now = time.perf_counter()
        if done == total:
            self.screen.clear()
        elif now - self.drawn > 0.2:
            self.drawn, rest = now, timedelta(seconds=round(pace * (total - done)))
            self.screen.show(f'{name} {bar(done, total)} {done}/{total}  {pace:.2f} s/it  {rest} left')


def bar(done: int, total: int) -> str:
    """Draw a bar and the percentage."""
    full = _BAR * done // max(total, 1)
    return f'[{"#" * full}{"." * (_BAR - full)}] {100 * done // max(total, 1):3d}%'
