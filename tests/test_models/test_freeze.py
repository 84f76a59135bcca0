import pytest
import torch
from torch import nn

from sr4ir_mm.models import frozen


@pytest.fixture
def net() -> nn.Module:
    """A zoo model in miniature: its first stage is frozen and in eval mode, and stays so in ``train()``."""
    net = nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)),
        nn.Sequential(nn.Conv2d(4, 5, 1), nn.BatchNorm2d(5), nn.Dropout()),
    )
    net[0].requires_grad_(False).eval()
    net.train = lambda mode=True: pytest.fail('train() would freeze stages again')
    return net


def state(net: nn.Module) -> list[bool]:
    return [p.requires_grad for p in net.parameters()] + [m.training for m in net.modules()]


@pytest.mark.parametrize('raises', [False, True])
def test_frozen_inside_and_restored_outside(net, raises):
    before, buffers = state(net), {name: b.clone() for name, b in net.named_buffers()}
    x = torch.randn(2, 3, 4, 4, requires_grad=True)
    try:
        with frozen(net):
            assert not any(state(net))
            out = net(x)
            assert torch.equal(out, net(x))  # no dropout
            out.sum().backward()
            if raises:
                raise KeyError
    except KeyError:
        assert raises
    assert state(net) == before
    assert any(before) and not all(before)
    assert x.grad is not None and all(p.grad is None for p in net.parameters())
    assert all(torch.equal(b, buffers[name]) for name, b in net.named_buffers())


def test_nested(net):
    before = state(net)
    with frozen(net):
        with frozen(net):
            pass
        assert not any(state(net))
    assert state(net) == before
