"""Ops of StyleGAN2 that mmcv calls on a GPU only; on a CPU it has PyTorch versions of its own."""

from torch import Tensor

from ..mmcv_ops import MissingOpError


def fused_bias_leakyrelu(
    input: Tensor, bias: Tensor, refer: Tensor, act: int, grad: int, alpha: float, scale: float
) -> Tensor:
    """Add a bias per channel, then leaky ReLU times ``scale``, or its derivative at ``refer`` times the input.

    Args:
        input: N x C x ..., the input or (``grad`` 1) a gradient.
        bias: C, or empty for none.
        refer: Output of the forward pass where ``grad`` is 1, else empty.
        act: 3, leaky ReLU.
        grad: 0 forward, 1 first derivative.
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
    """Up-sample with zeros, pad, filter and down-sample N x C x H x W, by mmcv's own PyTorch version."""
    from mmcv.ops.upfirdn2d import upfirdn2d as mmcv_upfirdn2d

    padding = [padx0, padx1, pady0, pady1]
    return mmcv_upfirdn2d(input, filter, [upx, upy], [downx, downy], padding, flip, gain, use_custom_op=False)
