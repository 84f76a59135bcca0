"""How often a run is logged, and what its bar shows."""

from types import SimpleNamespace

import pytest
from mmengine.hooks import LoggerHook
from test_screen import Terminal

from sr4ir_mm.engine import progress_hook
from sr4ir_mm.engine.progress_hook import LogPaceHook, ProgressHook, bar, log_interval
from sr4ir_mm.engine.runtime_info_hook import DeferredRuntimeInfoHook
from sr4ir_mm.engine.screen import Screen


@pytest.mark.parametrize(
    ('asked', 'seconds', 'interval'), [(50, 0.2, 50), (50, 1.3, 20), (50, 24, 2), (50, 90, 1), (10, 6.1, 5), (1, 90, 1)]
)
def test_log_interval(asked, seconds, interval):
    assert log_interval(asked, seconds) == interval


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr(progress_hook.time, 'perf_counter', clock := Clock())
    return clock


def test_a_slow_run_is_logged_more_often(clock):
    """The losses are read from the device as often, and a slow first iteration does not count for the whole run."""
    losses = DeferredRuntimeInfoHook()
    losses.interval = 50
    logger = LoggerHook(interval=50)
    hook, found = LogPaceHook(), []
    hook.before_train(SimpleNamespace(hooks=[logger, losses]))
    for i in range(12):
        hook.before_train_iter(None, i)
        clock.now += 61 if i == 0 else 1
        found.append((logger.interval, losses.interval))
    assert found[:2] == [(50, 50), (1, 1)] and found[-1] == (5, 5)


def run(done: int) -> SimpleNamespace:
    loop = SimpleNamespace(dataloader=[None] * 4)
    return SimpleNamespace(iter=done, max_iters=8, val_loop=loop, test_loop=loop)


def test_the_bar_shows_the_remaining_time(clock):
    hook = ProgressHook(Screen(stream := Terminal()))
    hook.before_train(run(2))  # resumed
    clock.now = 60
    hook.after_train_iter(run(3), 3)
    assert stream.seen() == [f'training {bar(4, 8)} 4/8  30.00 s/it  0:02:00 left']
    hook.before_val_epoch(run(3))
    clock.now = 61
    hook.after_val_iter(run(3), 0)
    assert stream.seen() == [f'validation {bar(1, 4)} 1/4  1.00 s/it  0:00:03 left']
    hook.after_val_iter(run(3), 3)
    assert stream.seen() == ['']  # room for what the metrics print


def test_the_bar_of_a_test(clock):
    hook = ProgressHook(Screen(stream := Terminal()))
    hook.before_test_epoch(run(0))
    clock.now = 5
    hook.after_test_iter(run(0), 1)
    assert stream.seen() == [f'test {bar(2, 4)} 2/4  2.50 s/it  0:00:05 left']


def test_bar():
    assert bar(1, 2) == '[############............]  50%' and bar(0, 0).endswith('  0%')
