"""Mixed precision on a CPU: which convolutions are computed in float32."""

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn

from sr4ir_mm.compat.amp import AnyDeviceAmpOptimWrapper
from sr4ir_mm.compat.depthwise import FullDepthwise

on_cpu = pytest.mark.skipif(torch.cuda.is_available(), reason='the wrapper of a GPU is the one of MMEngine')


def results(net: nn.Module, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The output and the gradients of image and weight."""
    image = image.clone().requires_grad_()
    net.zero_grad()
    out = net(image)
    (out.float() * torch.linspace(-1, 1, out.numel()).view_as(out)).sum().backward()
    return out.detach(), image.grad, net.weight.grad.clone()


@pytest.mark.parametrize('bias', [False, True])
@pytest.mark.parametrize('stride', [1, 2])
def test_a_depthwise_convolution_is_that_of_float32(stride, bias):
    torch.manual_seed(0)
    net, image = nn.Conv2d(8, 8, 5, stride, 2, groups=8, bias=bias), torch.rand(2, 8, 13, 17)
    expected = results(net, image)
    with torch.autocast('cpu', torch.bfloat16), FullDepthwise():
        found = results(net, image)
    assert found[0].dtype == torch.bfloat16 and found[1].dtype == found[2].dtype == torch.float32
    assert torch.equal(found[0], expected[0].bfloat16())  # rounded once, at the end
    for mine, theirs in zip(found[1:], expected[1:]):
        torch.testing.assert_close(mine, theirs, rtol=0.02, atol=0.05 * float(theirs.abs().mean()))


def test_arguments_may_have_names():
    image, weight = torch.rand(1, 4, 6, 6), torch.rand(4, 1, 3, 3)
    with torch.autocast('cpu', torch.bfloat16), FullDepthwise():
        found = torch.conv2d(input=image, weight=weight, groups=4)
    assert torch.equal(found, torch.conv2d(image, weight, groups=4).bfloat16())


def test_all_others_stay_as_they_are():
    torch.manual_seed(0)
    image = torch.rand(2, 8, 9, 9)
    for net in nn.Conv2d(8, 16, 1), nn.Conv2d(8, 8, 3, groups=2), nn.Conv2d(8, 8, 3):
        with torch.autocast('cpu', torch.bfloat16):
            expected = results(net, image)
            with FullDepthwise():
                found = results(net, image)
        assert all(torch.equal(mine, theirs) for mine, theirs in zip(found, expected))
    depthwise = nn.Conv2d(8, 8, 3, groups=8)
    with FullDepthwise():  # without mixed precision
        assert torch.equal(results(depthwise, image)[0], results(depthwise, image)[0])
        assert results(depthwise, image)[0].dtype == torch.float32


@on_cpu
def test_a_training_in_mixed_precision_uses_it():
    net, image = nn.Conv2d(8, 8, 3, groups=8), torch.rand(2, 8, 9, 9)
    wrapper = AnyDeviceAmpOptimWrapper(optimizer=torch.optim.SGD(net.parameters(), lr=0.1))
    with wrapper.optim_context(net):
        found = net(image)
    with OptimWrapper(optimizer=torch.optim.SGD(net.parameters(), lr=0.1)).optim_context(net):
        assert torch.equal(found, net(image).bfloat16())
