"""Focal losses by the formulas of mmcv's CUDA kernels. ``target`` is N, int64; ``weight`` is C, or empty for none.

It can go together with ``compat/mmcv_ops.py``.
"""

import torch
from torch import Tensor

from . import at_least_float

TINY = torch.finfo(torch.float32).tiny  # the kernels' FLT_MIN, in place of log(0)


def _log(x: Tensor) -> Tensor:
    return x.clamp(min=TINY).log()


def sigmoid_focal_loss_forward(
    input: Tensor, target: Tensor, weight: Tensor, output: Tensor, gamma: float, alpha: float
) -> None:
    """Fill ``output``, N x C, with the sigmoid focal loss of N x C logits; a target outside 0...C-1 is background."""
    p = at_least_float(input).sigmoid()
    positive = -alpha * (1 - p) ** gamma * _log(p)
    negative = -(1 - alpha) * p**gamma * _log(1 - p)
    _select(output, positive, negative, target, weight)


def sigmoid_focal_loss_backward(
    input: Tensor, target: Tensor, weight: Tensor, grad_input: Tensor, gamma: float, alpha: float
) -> None:
    """Fill ``grad_input``, N x C, with the derivative of each element of :func:`sigmoid_focal_loss_forward`."""
    p = at_least_float(input).sigmoid()
    positive = -alpha * (1 - p) ** gamma * (1 - p - gamma * p * _log(p))
    negative = -(1 - alpha) * p**gamma * (gamma * (1 - p) * _log(1 - p) - p)
    _select(grad_input, positive, negative, target, weight)


def _select(output: Tensor, positive: Tensor, negative: Tensor, target: Tensor, weight: Tensor) -> None:
    classes = torch.arange(output.shape[1], device=output.device)
    value = torch.where(target[:, None] == classes, positive, negative)
    output.copy_(value * weight[target][:, None] if weight.numel() else value)


def softmax_focal_loss_forward(
    softmax: Tensor, target: Tensor, weight: Tensor, output: Tensor, gamma: float, alpha: float
) -> None:
    """Fill ``output``, N, with the softmax focal loss of N x C probabilities; negative targets are ignored."""
    p = _true_class(softmax, target)
    output.copy_(_weighted(-alpha * (1 - p) ** gamma * _log(p), target, weight))


def softmax_focal_loss_backward(
    softmax: Tensor, target: Tensor, weight: Tensor, buff: Tensor, grad_input: Tensor, gamma: float, alpha: float
) -> None:
    """Fill ``grad_input``, N x C, with the derivative of :func:`softmax_focal_loss_forward` by the logits."""
    p = _true_class(softmax, target)
    slope = alpha * (gamma * (1 - p) ** (gamma - 1) * p * _log(p) - (1 - p) ** gamma)
    buff.copy_(_weighted(slope, target, weight))
    classes = torch.arange(softmax.shape[1], device=softmax.device)
    grad_input.copy_(buff[:, None] * ((target[:, None] == classes).to(softmax) - softmax))


def _true_class(softmax: Tensor, target: Tensor) -> Tensor:
    return at_least_float(softmax).gather(1, target.clamp(min=0)[:, None])[:, 0]


def _weighted(value: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    if weight.numel():
        value = value * weight[target.clamp(min=0)]
    return torch.where(target >= 0, value, torch.zeros_like(value))
