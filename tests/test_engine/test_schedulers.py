from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS
from torch import nn

CONFIGS = Path(__file__).parents[2] / 'configs'
L = 10  # iterations per epoch in the fixture


def cosine(periods: list, eta_min: float, **kwargs) -> dict:
    return dict(
        type='sr4ir_mm.BasicSRCosineRestartLR', periods=periods, restart_weights=[1] * len(periods), eta_min=eta_min,
        by_epoch=True, convert_to_iter_based=True, **kwargs,
    )  # fmt: skip


def shipped(name: str, key: str = 'param_scheduler') -> dict:
    cfg = Config.fromfile(CONFIGS / f'_base_/schedules/{name}.py')
    return {net: (cfg.optim_wrapper[net], cfg[key][net]) for net in ('sr', 'task')}


def seg() -> dict:
    return shipped('seg_100e')


def det() -> dict:
    return shipped('det_30e')


def cls() -> dict:
    return dict(
        sr=(dict(optimizer=dict(type='AdamW', lr=1e-4)), [cosine([20, 180], 1e-6)]),
        task=(dict(optimizer=dict(type='SGD', lr=0.03)), [cosine([20, 180], 1e-4)]),
    )


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        for name in ('backbone', 'decode_head', 'auxiliary_head'):
            self.add_module(name, nn.Linear(1, 1, bias=False))


def build(optim_wrapper: dict, schedulers: list, epoch_length: int = L) -> tuple:
    """Build optimizer and schedules as the Runner does."""
    wrapper = build_optim_wrapper(Net(), optim_wrapper)
    args = dict(optimizer=wrapper, epoch_length=epoch_length)
    return wrapper, [PARAM_SCHEDULERS.build(dict(cfg), default_args=args) for cfg in schedulers]


def rates(wrapper, schedulers: list, iterations: int) -> np.ndarray:
    """Return the rates of each optimizer step, iterations x groups."""
    values = []
    for _ in range(iterations):
        values.append([group['lr'] for group in wrapper.optimizer.param_groups])
        wrapper.step()
        for scheduler in schedulers:
            scheduler.step()
    return np.array(values)


@pytest.mark.parametrize('net', ['sr', 'task'])
@pytest.mark.parametrize('task', [seg, det, cls])
def test_rate_of_every_iteration_is_that_of_the_paper_code(fixture, task, net):
    expected = fixture('schedules')[f'{task.__name__}_lr_{net}'].reshape(-1, 3 if (task, net) == (seg, 'task') else 1)
    ours = rates(*build(*task()[net]), len(expected))
    np.testing.assert_allclose(ours, np.broadcast_to(expected, ours.shape), rtol=1e-12)


def test_landmarks():
    """First step with the TDP loss at the minimum, then the restart (docs/protocol.md, section 5)."""
    values = rates(*build(*seg()['sr']), 102)[:, 0]
    assert values[0] == 1e-4
    assert values[100] == pytest.approx(1e-6, rel=1e-12)
    assert values[101] == pytest.approx(9.99997e-5, rel=1e-7)


@pytest.mark.parametrize('epoch_length', [1, 2, 3, 357])
def test_warm_up_of_any_epoch_length(epoch_length):
    """The rate rises from 1 / L of the base rate, in equal steps, and reaches it at the start of the second epoch."""
    values = rates(*build(*det()['task'], epoch_length), epoch_length + 2)[:, 0]
    i = np.arange(epoch_length + 1)
    expected = 0.02 * (1 / epoch_length + (1 - 1 / epoch_length) * i / epoch_length)
    np.testing.assert_allclose(values[:-1], expected, rtol=1e-12)
    assert 0.003 < values[-1] < 0.02


def test_detection_baselines_end_an_epoch_before_the_minimum():
    """One period of 30 epochs from the second epoch on (docs/protocol.md, section 5)."""
    values = rates(*build(*shipped('det_30e', 'baseline_scheduler')['task']), 30 * L)[:, 0]
    np.testing.assert_allclose(values[: L + 1], rates(*build(*det()['task']), L + 1)[:, 0], rtol=1e-12)
    t = np.arange(29 * L)
    cosine = 1e-4 + 0.5 * (0.02 - 1e-4) * (1 + np.cos(np.pi * t / (30 * L)))
    np.testing.assert_allclose(values[L:], cosine, rtol=1e-12)
    assert values[-1] > 1.5e-4


def test_minimum_as_a_share_of_the_base_rate():
    optim_wrapper, (by_value,) = seg()['task']
    by_ratio = dict(by_value, eta_min_ratio=0.01)
    del by_ratio['eta_min']
    values = rates(*build(optim_wrapper, [by_ratio]), 101)
    np.testing.assert_allclose(values[100], [2e-4, 2e-4, 2e-3], rtol=1e-12)
    assert values[0].tolist() == pytest.approx([0.02, 0.02, 0.2])


def test_stays_at_the_minimum_after_the_last_period():
    optim_wrapper = dict(optimizer=dict(type='SGD', lr=1.0))
    values = rates(*build(optim_wrapper, [cosine([1, 1], 0.1)]), 4 * L)
    assert values[2 * L :] == pytest.approx(0.1, rel=1e-12)
    assert values[2 * L - 1, 0] > 0.11


def test_restart_weights():
    cfg = dict(cosine([1, 1], 0.0), restart_weights=[1, 0.5])
    values = rates(*build(dict(optimizer=dict(type='SGD', lr=1.0)), [cfg]), 2 * L)
    np.testing.assert_allclose(values[L + 1 :], values[1:L] / 2, rtol=1e-12)


@pytest.mark.parametrize('at', [7, L, L + 1, 3 * L])
def test_resumed_schedule_continues(at):
    task = det()['sr']
    straight = rates(*build(*task), 4 * L)
    wrapper, schedulers = build(*task)
    rates(wrapper, schedulers, at)
    resumed, new = build(*task)
    for scheduler, old in zip(new, schedulers):
        scheduler.load_state_dict(old.state_dict())
    resumed.load_state_dict(wrapper.state_dict())
    assert np.array_equal(rates(resumed, new, 4 * L - at), straight[at:])
