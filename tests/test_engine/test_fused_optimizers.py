"""Fused optimizer steps: on a GPU, and where the config says nothing else."""

import pytest
import torch
from helpers.toy import EDSR, ToyClassifier, toy_batch
from helpers.zoo import wrappers_for

from sr4ir_mm.compat import fused_steps
from sr4ir_mm.engine.fused_optimizers import with_fused
from sr4ir_mm.models import SR4IR


class OnGPU(torch.nn.Parameter):
    """A parameter that says that it is on a GPU."""

    is_cuda = True


def choice(device: type = OnGPU, **optimizer):
    return with_fused(dict(optimizer=optimizer), [device(torch.ones(2)), device(torch.ones(1))])['optimizer'].get(
        'fused'
    )


@pytest.fixture(autouse=True)
def _any_torch(request, monkeypatch):
    if 'same_step' in request.node.name and not fused_steps.WORKS_ON_CPU:
        pytest.skip('torch before 2.4 has no fused steps on a CPU')
    monkeypatch.setattr(fused_steps, 'WORKS_ON_CPU', True)


@pytest.mark.parametrize('kind', ['SGD', 'Adam', 'AdamW', torch.optim.AdamW])
def test_pytorchs_own_optimizers_are_fused_on_a_gpu(kind):
    assert choice(type=kind, lr=0.1) is True
    assert choice(torch.nn.Parameter, type=kind, lr=0.1) is None


@pytest.mark.parametrize('option', ['fused', 'foreach', 'capturable', 'differentiable'])
def test_a_choice_of_the_config_stays(option):
    assert choice(type='AdamW', **{option: False}) is (False if option == 'fused' else None)


def test_others_stay_as_they_are():
    assert choice(type='RMSprop') is None
    cfg = dict(optimizer=dict(type='SGD', lr=0.1))
    with_fused(cfg, [OnGPU(torch.ones(1))])
    assert cfg == dict(optimizer=dict(type='SGD', lr=0.1))  # it is the user's


@pytest.mark.parametrize('written,resumed', [(True, False), (False, True)])
@pytest.mark.parametrize('optimizer', [dict(type='SGD', lr=0.1, momentum=0.9), dict(type='AdamW', lr=1e-3)])
def test_the_same_step_after_a_change_of_the_layout(optimizer, written, resumed):
    """A fused step goes through the memory of weights and momentum, whatever their layouts are."""
    weights = []
    for fused in (False, True):
        torch.manual_seed(0)
        model, other = (
            SR4IR(dict(EDSR), ToyClassifier(), scale=4, tdp=dict(layers=dict(backbone=1.0)), channels_last=layout)
            for layout in (written, resumed)
        )
        wrappers, others = (wrappers_for(net, optimizer=optimizer | dict(fused=fused)) for net in (model, other))
        model.train_step(toy_batch(), wrappers)
        other.load_state_dict(model.state_dict())
        others.load_state_dict(wrappers.state_dict())
        torch.manual_seed(1)
        other.train_step(toy_batch(), others)
        weights.append(other.state_dict())
    torch.testing.assert_close(*weights, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('kind', ['SGD', 'AdamW'])
def test_a_fused_step_is_the_same_step(kind):
    """Also with what clips, and on another device than the one that wrote a checkpoint."""
    weights = []
    for fused in (False, True):
        torch.manual_seed(0)
        model = SR4IR(dict(EDSR), ToyClassifier(), scale=4, tdp=dict(layers=dict(backbone=1.0)))
        optimizer = dict(type=kind, lr=1e-3, fused=fused)
        wrappers = wrappers_for(model, optimizer=optimizer, clip_grad=dict(max_norm=1.0))
        for seed in range(3):
            torch.manual_seed(seed)
            model.train_step(toy_batch(seed=seed), wrappers)
        weights.append(model.state_dict())
        other = wrappers_for(model, optimizer=dict(type=kind, lr=1e-3))
        other.load_state_dict(wrappers.state_dict())
        model.train_step(toy_batch(), other)
    torch.testing.assert_close(*weights, rtol=1e-4, atol=1e-5)
