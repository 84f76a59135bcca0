"""CARAFE, content-aware up-sampling: each output pixel is a weighted sum of the k x k input pixels around its source.

``features`` is N x C x H x W, ``output`` N x C x sH x sW, and ``masks``, the weights, N x groups * k * k x sH x sW.
It can go together with ``compat/mmcv_ops.py``.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor


def _shifts(kernel_size: int, height: int, width: int) -> Iterator[tuple[int, tuple]]:
    for k in range(kernel_size * kernel_size):
        i, j = divmod(k, kernel_size)
        yield k, (..., slice(i, i + height), slice(j, j + width))


def _pad(features: Tensor, kernel_size: int) -> Tensor:
    return F.pad(features, [kernel_size // 2] * 4)


def _enlarge(tensor: Tensor, scale: int) -> Tensor:
    return tensor.repeat_interleave(scale, -1).repeat_interleave(scale, -2)


def carafe_naive_forward(
    features: Tensor, masks: Tensor, output: Tensor, kernel_size: int, group_size: int, scale_factor: int
) -> None:
    """Fill ``output`` with the up-sampled features."""
    padded, weights = _pad(features, kernel_size), masks.unflatten(1, (group_size, -1))
    total = torch.zeros_like(output).unflatten(1, (group_size, -1))
    for k, shift in _shifts(kernel_size, *features.shape[-2:]):
        source = _enlarge(padded[shift], scale_factor).unflatten(1, (group_size, -1))
        total += source * weights[:, :, k, None]
    output.copy_(total.flatten(1, 2))


def carafe_naive_backward(
    grad_output: Tensor,
    features: Tensor,
    masks: Tensor,
    grad_input: Tensor,
    grad_masks: Tensor,
    kernel_size: int,
    group_size: int,
    scale_factor: int,
) -> None:
    """Fill ``grad_input`` and ``grad_masks`` with the gradients of :func:`carafe_naive_forward`."""
    height, width = features.shape[-2:]
    padded, weights = _pad(features, kernel_size), masks.unflatten(1, (group_size, -1))
    grad, grad_padded = grad_output.unflatten(1, (group_size, -1)), torch.zeros_like(padded)
    for k, shift in _shifts(kernel_size, height, width):
        source = _enlarge(padded[shift], scale_factor).unflatten(1, (group_size, -1))
        grad_masks.unflatten(1, (group_size, -1))[:, :, k] = (grad * source).sum(2)
        cells = (grad * weights[:, :, k, None]).flatten(1, 2).unflatten(3, (width, -1)).unflatten(2, (height, -1))
        grad_padded[shift] += cells.sum((3, 5))
    radius = kernel_size // 2
    grad_input.copy_(grad_padded[..., radius : radius + height, radius : radius + width])


def carafe_forward(
    features: Tensor, masks: Tensor, rfeatures: Tensor, routput: Tensor, rmasks: Tensor, output: Tensor, **settings: int
) -> None:
    """Fill ``output`` with the up-sampled features, and ``rfeatures`` with a copy for :func:`carafe_backward`."""
    rfeatures.copy_(features)
    carafe_naive_forward(features, masks, output, **settings)


def carafe_backward(
    grad_output: Tensor,
    rfeatures: Tensor,
    masks: Tensor,
    rgrad_output: Tensor,
    rgrad_input_hs: Tensor,
    rgrad_input: Tensor,
    rgrad_masks: Tensor,
    grad_input: Tensor,
    grad_masks: Tensor,
    **settings: int,
) -> None:
    """Fill ``grad_input`` and ``grad_masks``; the ``rgrad_*`` are scratch memory of mmcv's kernel."""
    carafe_naive_backward(grad_output, rfeatures, masks, grad_input, grad_masks, **settings)
