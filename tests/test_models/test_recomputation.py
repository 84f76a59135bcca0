"""Blocks of SR networks that run again in the backward pass; test_sr_net.py has the same for every network."""

import copy
import pickle

import pytest
import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models.recomputation import RecomputedForward, recompute_blocks
from sr4ir_mm.models.sr_net import build_sr

EDSR = dict(type='mmagic.EDSRNet', in_channels=3, out_channels=3, mid_channels=16, num_blocks=12)
SWINIR = dict(
    type='mmagic.SwinIRNet', in_chans=3, img_size=16, window_size=8, depths=[4, 4], embed_dim=12, num_heads=[2, 2],
    mlp_ratio=2, upscale=4, upsampler='pixelshuffle', drop_rate=0.1, attn_drop_rate=0.1, drop_path_rate=0.2,
)  # fmt: skip


def train(net: nn.Module, **autocast) -> tuple[torch.Tensor, list[torch.Tensor], int]:
    """Output, gradients, and bytes that the forward pass leaves allocated."""
    torch.manual_seed(0)
    image = torch.rand(2, 3, 32, 32)
    profiler = profile(activities=[ProfilerActivity.CPU], profile_memory=True)
    with profiler, torch.autocast('cpu', torch.bfloat16, **autocast):
        output = net(image)
    output.square().mean().backward()
    grads = [parameter.grad for parameter in net.parameters()]
    return output, grads, sum(event.self_cpu_memory_usage for event in profiler.key_averages())


@pytest.mark.parametrize(('cfg', 'share'), [(EDSR, 0.85), (SWINIR, 0.35)])
@pytest.mark.parametrize('amp', [False, True])
def test_less_memory_and_the_same_gradients_with_dropout(cfg, share, amp):
    plain, _ = build_sr(cfg, 4)
    lean, _ = build_sr(dict(cfg, with_cp=True), 4)
    assert plain.state_dict().keys() == lean.state_dict().keys()
    lean.load_state_dict(plain.state_dict())
    (output, grads, size), (lean_output, lean_grads, lean_size) = (train(net, enabled=amp) for net in (plain, lean))
    assert torch.equal(output, lean_output) and all(map(torch.equal, grads, lean_grads))
    assert lean_size < share * size


def test_the_smallest_repeated_blocks_run_again():
    net, _ = build_sr(dict(SWINIR, with_cp=True), 4)
    blocks = [module for module in net.modules() if isinstance(module.forward, RecomputedForward)]
    assert [type(block).__name__ for block in blocks] == ['SwinTransformerBlock'] * 8


def test_copies_and_pickles_have_blocks_of_their_own():
    net, _ = build_sr(dict(EDSR, with_cp=True), 4)
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert all(block.forward.block is block for block in other.body)
        assert not {*map(id, other.body)} & {*map(id, net.body)}


def test_networks_without_such_blocks():
    with pytest.raises(SR4IRError, match='Conv2d has no repeated blocks'):
        recompute_blocks(nn.Conv2d(3, 3, 1))
    block = nn.TransformerEncoderLayer
    recompute_blocks(nn.Sequential(block(8, 1), block(8, 1)))


def test_blocks_as_attributes_hold_most_of_the_network():
    """Two small ones in front are no reason to run them again."""

    class Block(nn.Module):
        def __init__(self, channels: int) -> None:
            super().__init__()
            self.conv1, self.conv2 = (nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))

    class Net(nn.Module):
        def __init__(self, stem: int, body: int) -> None:
            super().__init__()
            self.stem = nn.Module()
            self.stem.a, self.stem.b, self.body = Block(stem), Block(stem), nn.Conv2d(body, body, 3)

    with pytest.raises(SR4IRError, match='Net has no repeated blocks'):
        recompute_blocks(Net(4, 32))
    net = Net(32, 4)
    recompute_blocks(net)
    assert isinstance(net.stem.a.forward, RecomputedForward) and isinstance(net.stem.b.forward, RecomputedForward)


def test_batch_statistics_would_count_twice():
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.norm, self.conv2 = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.Conv2d(3, 3, 1)

    with pytest.raises(SR4IRError, match='would count each batch twice'):
        recompute_blocks(nn.Sequential(Block(), Block()))
