"""Gradients of convolutions of 1 x 1 px with a stride, which oneDNN writes past the end of its memory on a CPU.

With fewer than 16 input channels in ``torch.channels_last``, the process ends ("double free or corruption") or the
gradient of the weights is wrong: issue 6035 of oneDNN, seen with PyTorch 2.14.1 on a CPU with AVX-512. The same
convolution of every s-th pixel has no stride. This can go when PyTorch has a release of oneDNN without the issue.
"""

import functools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# torch.jit.script reads the wrapped code of PyTorch with the names of this file
from torch.nn.modules.conv import _pair  # noqa: F401

#: channels that oneDNN writes at once
BLOCK = 16


def select_pixels_first() -> None:
    """Let these convolutions of all networks select the pixels first; another call changes nothing."""
    forward = nn.Conv2d._conv_forward
    if hasattr(forward, '__wrapped__'):
        return

    @functools.wraps(forward)
    def conv_forward(self: nn.Conv2d, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if not _is_affected(self, input):
            return forward(self, input, weight, bias)
        height, width = self.stride
        return F.conv2d(input[..., ::height, ::width], weight, bias)

    nn.Conv2d._conv_forward = conv_forward


def _is_affected(conv: nn.Conv2d, input: Tensor) -> bool:
    is_strided = conv.kernel_size == (1, 1) and conv.stride != (1, 1) and conv.padding == (0, 0) and conv.groups == 1
    return is_strided and conv.in_channels < BLOCK and input.is_cpu and torch.is_grad_enabled()
