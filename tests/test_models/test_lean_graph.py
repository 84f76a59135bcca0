"""Graphs through frozen layers: the gradient of the image stays, the memory does not."""

from contextlib import nullcontext

import pytest
import torch
from helpers.zoo import bare_net, net_config
from torch import nn
from torch.profiler import ProfilerActivity, profile
from torch.utils.checkpoint import checkpoint

from sr4ir_mm.models.compilation import CompiledForward
from sr4ir_mm.models.freeze import frozen
from sr4ir_mm.models.lean_graph import lean_graph

NETS = ['mobilenetv3', 'resnet18', 'segformer', 'deeplabv3']


def backbone(name: str) -> nn.Module:
    net = bare_net(net_config(name)).backbone
    net.eval()  # returns nothing in mmpretrain
    return net


def gradient(net: nn.Module, image: torch.Tensor, lean: bool, **autocast) -> torch.Tensor:
    image = image.detach().requires_grad_()
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    with lean_graph(list(net.modules())) if lean else nullcontext():
        with torch.autocast('cpu', torch.bfloat16, **autocast):
            features = net(image)
        last = features[-1] if isinstance(features, (tuple, list)) else features
        last.float().square().mean().backward()  # here, as checkpoints run again in it
    return image.grad


@pytest.mark.parametrize('name', NETS)
@pytest.mark.parametrize('amp', [False, True])
@pytest.mark.parametrize('layout', [torch.contiguous_format, torch.channels_last])
def test_gradients_are_equal_to_the_last_bit(name, amp, layout):
    net = backbone(name).to(memory_format=layout)
    image = torch.rand(2, 3, 64, 64)
    plain, lean = (gradient(net, image, lean, enabled=amp) for lean in (False, True))
    assert torch.equal(plain, lean) and plain.abs().sum() > 0


def test_layers_of_all_kinds_and_sizes_that_coincide():
    square = nn.Conv2d(4, 4, 4, padding='same')  # its weight has the shape of a batch of 4
    net = nn.Sequential(nn.Conv1d(3, 4, 3, stride=2), nn.BatchNorm1d(4), nn.Unflatten(2, (4, 4)), square).eval()
    image = torch.rand(4, 3, 33)
    assert torch.equal(*(gradient(net, image, lean, enabled=False) for lean in (False, True)))


def test_hooks_of_layers_keep_what_they_compute_with():
    net = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)).eval()
    for layer in net:
        layer.register_forward_hook(lambda layer, args, output: output * output.sigmoid())
    image = torch.rand(1, 4, 5, 5)
    assert torch.equal(*(gradient(net, image, lean, enabled=False) for lean in (False, True)))


def test_an_interruption_in_a_layer_leaves_other_graphs_as_they_are():
    net = nn.Conv2d(4, 4, 3).requires_grad_(False)

    def interrupt(*_):
        raise KeyboardInterrupt

    image = torch.rand(1, 4, 5, 5, requires_grad=True)
    with pytest.raises(KeyboardInterrupt), lean_graph([net]):
        net.register_forward_pre_hook(interrupt)
        net(image)
    values = image.exp()
    values.sum().backward()
    assert torch.equal(image.grad, values)


def test_layers_that_learn_keep_what_they_need():
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8, momentum=0.0), nn.Conv2d(8, 8, 3))
    grads = []
    for context in (nullcontext, lean_graph):
        net.zero_grad()
        net.eval()
        with context(list(net.modules())):
            loss = net(torch.ones(2, 3, 8, 8)).square().mean()
            net.train()
            (loss + net(torch.ones(2, 3, 8, 8)).square().mean()).backward()
        grads.append([parameter.grad for parameter in net.parameters()])
    assert all(map(torch.equal, *grads)) and all(grad.abs().sum() > 0 for grad in grads[0])


@pytest.mark.parametrize('use_reentrant', [False, True])
def test_checkpoints_in_the_network(use_reentrant):
    net = backbone('resnet18')
    layer = net.layer2.forward
    image = torch.rand(2, 3, 64, 64)
    plain = gradient(net, image, False, enabled=False)
    net.layer2.forward = lambda x: checkpoint(layer, x, use_reentrant=use_reentrant)
    assert torch.equal(plain, gradient(net, image, True, enabled=False))


def kept(net: nn.Module, image: torch.Tensor, context) -> int:
    """Bytes that the forward pass leaves allocated."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler, context:
        output = net(image)
    assert output is not None
    return sum(event.self_cpu_memory_usage for event in profiler.key_averages())


def test_frozen_networks_keep_less():
    """Of ResNet-18's convolutions and norms only what ReLU and pooling need is kept."""
    net = backbone('resnet18').requires_grad_(False)
    image = torch.rand(2, 3, 128, 128, requires_grad=True)
    with frozen(net):
        lean = kept(net, image, nullcontext())
    assert lean < 0.65 * kept(net, image, nullcontext())


def test_compiled_networks_stay_as_they_are():
    """Hooks would keep what is compiled from running."""
    net = backbone('resnet18')
    net.forward = CompiledForward(net, net, type(net).forward, type(net).forward)
    with frozen(net):
        assert not any(module._forward_pre_hooks for module in net.modules())
    del net.forward
    with frozen(net):
        assert any(module._forward_pre_hooks for module in net.modules())
    assert not any(module._forward_pre_hooks for module in net.modules())
