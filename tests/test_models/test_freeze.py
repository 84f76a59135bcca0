import pytest
import torch
from mmcv.cnn.bricks import DropPath
from mmdet.models.layers import DropBlock
from mmpretrain.models.utils import LeAttention, MultiheadAttention
from torch import nn
from torchvision.models.swin_transformer import ShiftedWindowAttention
from torchvision.ops import StochasticDepth

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


class Part(nn.Module):
    """A part of a zoo model that does more in train mode, and keeps two statistics of its own there."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer('count', torch.zeros(()))
        self.register_buffer('bases', torch.ones(2))

    def forward(self, x):
        if self.training:
            self.count += 1
            self.bases = self.bases * 0.9
            return 2 * x
        return x


@pytest.fixture
def learner() -> nn.Module:
    noise = dict(
        dropout=nn.Dropout(), path=DropPath(0.5), depth=StochasticDepth(0.5, 'row'), block=DropBlock(0.5, 3, 0)
    )
    return nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.ModuleDict(noise), Part())


@pytest.mark.parametrize('mode', [True, False], ids=['trained in another phase', 'never trained'])
def test_a_network_that_gives_losses_is_in_train_mode_without_noise(learner, mode):
    learner.train(mode)
    with frozen(learner, gives_losses=True):
        assert {type(m) for m in learner.modules() if m.training} == {nn.Sequential, nn.Conv2d, nn.ModuleDict, Part}
        assert not any(p.requires_grad for p in learner.parameters())
    assert all(m.training is mode for m in learner.modules()) and all(p.requires_grad for p in learner.parameters())


def test_a_part_that_the_network_itself_keeps_in_eval_mode_stays_there(net):
    with frozen(net, gives_losses=True):
        assert [m.training for m in net[0].modules()] == [False] * 3
        assert net[1][0].training and not net[1][1].training and not net[1][2].training


def test_statistics_of_any_part_stay(learner):
    part, x = learner[3], torch.ones(1, requires_grad=True)
    buffers = part.count, part.bases
    with frozen(learner, gives_losses=True):
        out = part(x) * part.bases.sum()
        out.backward()
    assert out.item() == pytest.approx(2 * 1.8) and x.grad.item() == pytest.approx(2 * 1.8)
    assert (part.count, part.bases) == buffers and part.count == 0 and torch.equal(part.bases, torch.ones(2))


ATTENTION = dict(
    torch=lambda: nn.MultiheadAttention(8, 2, dropout=0.9, batch_first=True),
    mmpretrain=lambda: MultiheadAttention(8, 2, attn_drop=0.9),
    torchvision=lambda: ShiftedWindowAttention(8, [2, 2], [0, 0], 2, attention_dropout=0.9, dropout=0.9),
)


@pytest.mark.parametrize('library', ATTENTION)
def test_dropout_inside_of_a_function(library):
    net = nn.Sequential(ATTENTION[library]())
    x = torch.rand(1, 2, 2, 8) if library == 'torchvision' else torch.rand(1, 4, 8)
    args = (x, x, x) if library == 'torch' else (x,)
    results = []
    for losses in (True, True, False):
        with frozen(net, losses):
            out = net[0](*args)
        results.append(out[0] if library == 'torch' else out)
    assert torch.equal(results[0], results[1])
    torch.testing.assert_close(results[0], results[2])


@pytest.mark.parametrize('calls', [1, 2])
def test_what_a_part_prepares_for_eval_mode_is_that_of_its_weights(calls):
    """LeAttention computes its biases in ``train``, from the weights at that time."""
    part = LeAttention(8, 4, 2, resolution=(2, 2))
    for _ in range(calls):  # each epoch
        part.train(True)
    x = torch.rand(1, 4, 8)
    with torch.no_grad():
        part.attention_biases.copy_(torch.arange(8.0).view(2, 4))
        expected = part(x)
        with frozen(nn.Sequential(part)):
            assert torch.equal(part(x), expected)
