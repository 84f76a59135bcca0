"""Convolutions of 1 x 1 px with a stride: their gradients, which oneDNN writes past the end of its memory."""

import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import sr4ir_mm  # noqa: F401
from sr4ir_mm.compat.strided_convs import select_pixels_first

#: steps of a training, after which glibc finds that its heap is broken
STEPS = """
import torch
import sr4ir_mm
kept = []
for step in range(60):
    channels = (4, 8, 15)[step % 3]
    conv = torch.nn.Conv2d(channels, 16, 1, 2).to(memory_format=torch.channels_last)
    image = torch.rand(2, channels, 48, 48).to(memory_format=torch.channels_last).requires_grad_()
    out = conv(image)
    out.backward(torch.ones_like(out))
    kept = kept[-4:] + [image.grad]
"""


def test_no_memory_is_overwritten():
    run = subprocess.run([sys.executable, '-c', STEPS], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize('stride', [2, (1, 3)])
@pytest.mark.parametrize('layout', [torch.channels_last, torch.contiguous_format])
def test_outputs_and_gradients(stride, layout):
    torch.manual_seed(0)
    conv = nn.Conv2d(8, 16, 1, stride).to(memory_format=layout)
    image = torch.rand(2, 8, 13, 18).to(memory_format=layout).requires_grad_()
    out = conv(image)
    grad = torch.rand_like(out)
    out.backward(grad)
    double, weight, bias = (part.detach().double().requires_grad_() for part in (image, conv.weight, conv.bias))
    expected = F.conv2d(double, weight, bias, stride)
    expected.backward(grad.double())
    for found, value in ((out, expected), (image.grad, double.grad), (conv.weight.grad, weight.grad)):
        torch.testing.assert_close(found.double(), value, rtol=1e-4, atol=1e-5)


@pytest.mark.filterwarnings('ignore::FutureWarning', 'ignore::DeprecationWarning')
def test_torchscript_reads_the_code_of_pytorch():
    conv, image = nn.Conv2d(8, 16, 1, 2), torch.rand(1, 8, 6, 6)
    torch.testing.assert_close(torch.jit.script(conv)(image), conv(image))


def test_other_convolutions_stay(monkeypatch):
    forward = nn.Conv2d._conv_forward
    select_pixels_first()
    assert nn.Conv2d._conv_forward is forward
    calls = []
    monkeypatch.setattr(F, 'conv2d', lambda *args, **_: calls.append(args[3:4]))
    image = torch.rand(1, 16, 8, 8)
    nn.Conv2d(16, 8, 1, 2)(image)
    nn.Conv2d(16, 8, 3, 2)(image)
    with torch.no_grad():
        nn.Conv2d(8, 8, 1, 2)(image[:, :8])
    assert calls == [((2, 2),)] * 3
