import copy
import math

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn

from sr4ir_mm.compat.amp import AnyDeviceAmpOptimWrapper
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models.updates import accumulate, share_scaler, update


def wrap(net: nn.Module, kind: type = OptimWrapper, **kwargs) -> OptimWrapper:
    return kind(optimizer=torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9), **kwargs)


def nets(n: int) -> list[nn.Module]:
    return [nn.Linear(4, 1) for _ in range(n)]


def weights(net: nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in net.parameters()])


@pytest.mark.parametrize('clip', [None, dict(max_norm=0.5)])
@pytest.mark.parametrize('branches', [1, 3])
@pytest.mark.parametrize('counts', [1, 2, 3])
def test_several_losses_count_as_their_sum_in_mmengine(counts, branches, clip):
    """Five iterations, so that accumulating two or three of them leaves a remainder."""
    (net,) = nets(1)
    theirs = copy.deepcopy(net)
    options = dict(accumulative_counts=counts, clip_grad=clip)
    ours, oracle = (wrap(n, **copy.deepcopy(options)) for n in (net, theirs))
    for wrapper, n in ((ours, net), (oracle, theirs)):
        wrapper.initialize_count_status(n, 0, 5)
    changed = []
    for i in range(5):
        before = weights(net)
        inputs = torch.randn(branches, 8, 4)
        for x in inputs:
            accumulate([ours], net(x).square().mean(), last=torch.equal(x, inputs[-1]))
        update([ours])
        oracle.update_params(sum(theirs(x).square().mean() for x in inputs))
        torch.testing.assert_close(weights(net), weights(theirs), rtol=1e-5, atol=1e-6)
        if not torch.equal(weights(net), before):
            changed.append(i + 1)
    assert changed == [i for i in range(1, 6) if i % counts == 0 or i == 5]
    assert ours.inner_count == 5


@pytest.mark.parametrize('counts', [1, 2])
def test_one_loss_for_two_nets_is_as_if_each_had_its_own(counts):
    both = nets(2)
    alone = copy.deepcopy(both)
    wrappers = [wrap(net, accumulative_counts=counts) for net in both]
    oracles = [wrap(net, accumulative_counts=counts) for net in alone]
    for wrapper, net in zip(wrappers + oracles, both + alone):
        wrapper.initialize_count_status(net, 0, 3)
    for _ in range(3):
        x = torch.randn(8, 4)
        accumulate(wrappers, sum(net(x).square().mean() for net in both), last=True)
        update(wrappers)
        for wrapper, net in zip(oracles, alone):
            wrapper.update_params(net(x).square().mean())
        for net, other in zip(both, alone):
            torch.testing.assert_close(weights(net), weights(other))


def scaled(both: list[nn.Module], **kwargs) -> list[OptimWrapper]:
    """Wrappers as on a GPU: float16 has a loss scale."""
    wrappers = [wrap(net, AnyDeviceAmpOptimWrapper, **copy.deepcopy(kwargs)) for net in both]
    for wrapper in wrappers:
        wrapper.loss_scaler = torch.amp.GradScaler('cpu', init_scale=8.0, growth_interval=1)
    return wrappers


on_cpu = pytest.mark.skipif(torch.cuda.is_available(), reason='MMEngine scales on the GPU')
has_scaler = pytest.mark.skipif(not hasattr(torch.amp, 'GradScaler'), reason='torch before 2.3 scales on a GPU only')


@on_cpu
@has_scaler
@pytest.mark.parametrize('clip', [None, dict(max_norm=0.01)])
def test_one_scaler_for_two_nets(clip):
    both = nets(2)
    alone = copy.deepcopy(both)
    wrappers = scaled(both, clip_grad=clip)
    share_scaler(wrappers)
    x = torch.randn(8, 4)
    for scale in (16, 32):  # it grows once per iteration, not once per net
        accumulate(wrappers, sum(net(x).square().mean() for net in both), last=True)
        update(wrappers)
        assert [wrapper.loss_scaler.get_scale() for wrapper in wrappers] == [scale] * 2
    for net in alone:
        oracle = wrap(net, clip_grad=copy.deepcopy(clip))
        for _ in range(2):
            oracle.update_params(net(x).square().mean())
    for net, other in zip(both, alone):
        torch.testing.assert_close(weights(net), weights(other))


@on_cpu
@has_scaler
def test_overflow_in_one_net_skips_its_step_and_lowers_the_scale_once():
    both = nets(2)
    wrappers = scaled(both)
    share_scaler(wrappers)
    before = [weights(net) for net in both]
    x = torch.randn(8, 4)
    accumulate(wrappers, both[0](x).mean() * math.inf + both[1](x).mean(), last=True)
    update(wrappers)
    assert torch.equal(weights(both[0]), before[0])
    assert not torch.equal(weights(both[1]), before[1])
    assert all(p.grad is None for net in both for p in net.parameters())
    assert wrappers[0].loss_scaler.get_scale() == 4


@on_cpu
@pytest.mark.parametrize('mixed', [0, 1])
def test_half_mixed_precision_is_refused(mixed):
    kinds = [OptimWrapper, OptimWrapper]
    kinds[mixed] = AnyDeviceAmpOptimWrapper
    with pytest.raises(SR4IRError, match="use the same optim_wrapper 'type' for both"):
        share_scaler([wrap(net, kind) for net, kind in zip(nets(2), kinds)])


def test_different_accumulation_is_refused():
    """One backward pass scales the loss for both."""
    wrappers = [wrap(net, accumulative_counts=counts) for net, counts in zip(nets(2), (1, 2))]
    with pytest.raises(SR4IRError, match="use the same 'accumulative_counts' for both"):
        share_scaler(wrappers)
