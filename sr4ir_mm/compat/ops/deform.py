"""Deformable convolution (torchvision's) and multi-scale deformable attention (mmcv's own PyTorch version)."""

import torch
from torch import Tensor

from ..mmcv_ops import MissingOpError
from . import at_least_float, torchvision_ops


def _geometry(kH: int, kW: int, dH: int, dW: int, padH: int, padW: int, dilationH: int, dilationW: int) -> tuple:
    return dH, dW, padH, padW, dilationH, dilationW


def deform_conv_forward(
    input: Tensor,
    weight: Tensor,
    offset: Tensor,
    output: Tensor,
    columns: Tensor,
    ones: Tensor,
    group: int,
    deformable_group: int,
    im2col_step: int,
    **geometry: int,
) -> None:
    """Deformable convolution (v1, no mask) of N x C x H x W into ``output``.

    ``offset`` is N x 2 * deformable_group * kH * kW x H' x W', (y, x) by turns.
    """
    tensors = [at_least_float(t) for t in (input, weight, offset)]
    unused_mask, zero_bias = tensors[0].new_zeros(len(input), 1), tensors[1].new_zeros(len(weight))
    args = (*_geometry(**geometry), group, deformable_group, False)
    output.copy_(torchvision_ops().deform_conv2d(*tensors, unused_mask, zero_bias, *args))


def deform_conv_backward_input(
    input: Tensor,
    offset: Tensor,
    grad_output: Tensor,
    grad_input: Tensor,
    grad_offset: Tensor,
    weight: Tensor,
    columns: Tensor,
    group: int,
    deformable_group: int,
    im2col_step: int,
    **geometry: int,
) -> None:
    """Gradients of :func:`deform_conv_forward` into ``grad_input`` and ``grad_offset``."""
    grads = _deform_conv_grads(input, weight, offset, grad_output, group, deformable_group, geometry)
    grad_input.copy_(grads[0])
    grad_offset.copy_(grads[2])


def deform_conv_backward_parameters(
    input: Tensor,
    offset: Tensor,
    grad_output: Tensor,
    grad_weight: Tensor,
    columns: Tensor,
    ones: Tensor,
    group: int,
    deformable_group: int,
    scale: float,
    im2col_step: int,
    **geometry: int,
) -> None:
    """Add the gradient of the weight of :func:`deform_conv_forward`, times ``scale``, to ``grad_weight``."""
    # The gradient of the weight does not depend on the weight.
    grads = _deform_conv_grads(input, grad_weight, offset, grad_output, group, deformable_group, geometry)
    grad_weight.add_(grads[1], alpha=scale)


def _deform_conv_grads(input, weight, offset, grad_output, group, deformable_group, geometry):
    grad, input, weight, offset = (at_least_float(t) for t in (grad_output, input, weight, offset))
    unused_mask, bias = input.new_zeros(len(input), 1), weight.new_zeros(len(weight))
    args = (*_geometry(**geometry), group, deformable_group, False)
    return torchvision_ops()._deform_conv2d_backward(grad, input, weight, offset, unused_mask, bias, *args)


def modulated_deform_conv_forward(
    input: Tensor,
    weight: Tensor,
    bias: Tensor,
    ones: Tensor,
    offset: Tensor,
    mask: Tensor,
    output: Tensor,
    columns: Tensor,
    with_bias: bool,
    **settings: int,
) -> None:
    """Deformable convolution with mask (v2) of N x C x H x W into ``output``; ``bias`` is empty without a bias."""
    bias = bias if with_bias else weight.new_zeros(len(weight))
    tensors = [at_least_float(t) for t in (input, weight, offset, mask, bias)]
    output.copy_(torchvision_ops().deform_conv2d(*tensors, *_modulated(**settings)))


def modulated_deform_conv_backward(
    input: Tensor,
    weight: Tensor,
    bias: Tensor,
    ones: Tensor,
    offset: Tensor,
    mask: Tensor,
    columns: Tensor,
    grad_input: Tensor,
    grad_weight: Tensor,
    grad_bias: Tensor,
    grad_offset: Tensor,
    grad_mask: Tensor,
    grad_output: Tensor,
    with_bias: bool,
    **settings: int,
) -> None:
    """Gradients of :func:`modulated_deform_conv_forward` into the five ``grad_*`` tensors."""
    zero_bias = weight.new_zeros(len(weight))
    tensors = [at_least_float(t) for t in (grad_output, input, weight, offset, mask, zero_bias)]
    grads = torchvision_ops()._deform_conv2d_backward(*tensors, *_modulated(**settings))
    for target, grad in zip((grad_input, grad_weight, grad_offset, grad_mask), grads[:4], strict=True):
        target.copy_(grad)
    if with_bias:
        grad_bias.copy_(grads[4])


def _modulated(
    kernel_h: int,
    kernel_w: int,
    stride_h: int,
    stride_w: int,
    pad_h: int,
    pad_w: int,
    dilation_h: int,
    dilation_w: int,
    group: int,
    deformable_group: int,
) -> tuple:
    return stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w, group, deformable_group, True


def ms_deform_attn_forward(
    value: Tensor,
    spatial_shapes: Tensor,
    level_start_index: Tensor,
    sampling_locations: Tensor,
    attention_weights: Tensor,
    im2col_step: int,
) -> Tensor:
    """Multi-scale deformable attention; shapes as in ``mmcv.ops.multi_scale_deform_attn``.

    Raises:
        MissingOpError: If the levels do not lie one after the other in ``value``.
    """
    from mmcv.ops.multi_scale_deform_attn import multi_scale_deformable_attn_pytorch

    shapes, start = spatial_shapes.tolist(), 0
    for (height, width), given in zip(shapes, level_start_index.tolist(), strict=True):
        if given != start:
            raise MissingOpError('ms_deform_attn_forward', 'levels that are not packed in order')
        start += height * width
    tensors = [at_least_float(t) for t in (value, sampling_locations, attention_weights)]
    return multi_scale_deformable_attn_pytorch(tensors[0], shapes, *tensors[1:]).to(value.dtype)


def ms_deform_attn_backward(
    value: Tensor,
    spatial_shapes: Tensor,
    level_start_index: Tensor,
    sampling_locations: Tensor,
    attention_weights: Tensor,
    grad_output: Tensor,
    grad_value: Tensor,
    grad_sampling_loc: Tensor,
    grad_attn_weight: Tensor,
    im2col_step: int,
) -> None:
    """Gradients of :func:`ms_deform_attn_forward` into the three ``grad_*`` tensors."""
    value, locations, weights = (t.detach().requires_grad_() for t in (value, sampling_locations, attention_weights))
    with torch.enable_grad():
        out = ms_deform_attn_forward(value, spatial_shapes, level_start_index, locations, weights, im2col_step)
    grads = torch.autograd.grad(out, (value, locations, weights), grad_output)
    for target, grad in zip((grad_value, grad_sampling_loc, grad_attn_weight), grads, strict=True):
        target.copy_(grad)
