"""Ops of StyleGAN2, which mmcv calls on a GPU only; on a CPU it uses PyTorch versions of its own.

It can go together with ``compat/mmcv_ops.py``.
"""

from torch import Tensor

from ..mmcv_ops import MissingOpError


def fused_bias_leakyrelu(
    input: Tensor, bias: Tensor, refer: Tensor, act: int, grad: int, alpha: float, scale: float
) -> Tensor:
    """Add a bias to each channel and apply leaky ReLU times ``scale``, or multiply by its derivative at ``refer``.

    Args:
        input: Input, or a gradient if ``grad`` is 1; N x C x ...
        bias: Bias, C, or empty for none.
        refer: Output of the forward pass if ``grad`` is 1, else empty.
        act: Number of the activation: 3, leaky ReLU.
        grad: Order of the derivative: 0 or 1.
        alpha: Slope below zero.
        scale: Factor.

    Raises:
        MissingOpError: For another ``act`` or ``grad``.
    """
    if act != 3 or grad not in (0, 1):
        raise MissingOpError('fused_bias_leakyrelu', f'act={act}, grad={grad}')
    if bias.numel():
        input = input + bias.reshape([1, -1] + [1] * (input.ndim - 2))
    sign_of = refer if grad else input
    return input.where(sign_of > 0, input * alpha) * scale


def upfirdn2d(
    input: Tensor,
    filter: Tensor,
    upx: int,
    upy: int,
    downx: int,
    downy: int,
    padx0: int,
    padx1: int,
    pady0: int,
    pady1: int,
    flip: bool,
    gain: float,
) -> Tensor:
    """Up-sample N x C x H x W with zeros, pad, filter and down-sample it, by mmcv's PyTorch version."""
    from mmcv.ops.upfirdn2d import upfirdn2d as mmcv_upfirdn2d

    padding = [padx0, padx1, pady0, pady1]
    return mmcv_upfirdn2d(input, filter, [upx, upy], [downx, downy], padding, flip, gain, use_custom_op=False)
