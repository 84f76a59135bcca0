"""Deformable convolution by torchvision.

It can go together with ``compat/mmcv_ops.py``.
"""

from typing import Any

from torch import Tensor

from . import at_least_float, torchvision_ops

#: place of the offsets among the tensors of torchvision, counted from the end
OFFSET = -3


def _call(
    function: str, tensors: list[Tensor], use_mask: bool, kH: int, kW: int, dH: int, dW: int, padH: int, padW: int,
    dilationH: int, dilationW: int, group: int, deformable_group: int,
) -> Any:  # fmt: skip
    sizes = (dH, dW, padH, padW, dilationH, dilationW, group, deformable_group)
    tensors = [at_least_float(t) for t in tensors]
    # with an offset of NaN, torchvision and mmcv read outside of the image's memory; far outside of the image is zero
    tensors[OFFSET] = tensors[OFFSET].nan_to_num(nan=-1e6)
    return getattr(torchvision_ops(), function)(*tensors, *sizes, use_mask)


def _unused(input: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return a mask and a bias, which torchvision requires and version 1 of the op does not have."""
    return input.new_zeros(len(input), 1), weight.new_zeros(len(weight))


def deform_conv_forward(
    input: Tensor, weight: Tensor, offset: Tensor, output: Tensor, columns: Tensor, ones: Tensor, im2col_step: int,
    **settings: int,
) -> None:  # fmt: skip
    """Fill ``output`` with the deformable convolution (version 1, no mask) of N x C x H x W.

    ``offset`` is N x 2 * deformable_group * kH * kW x H' x W', alternately y and x.
    """
    output.copy_(_call('deform_conv2d', [input, weight, offset, *_unused(input, weight)], False, **settings))


def deform_conv_backward_input(
    input: Tensor, offset: Tensor, grad_output: Tensor, grad_input: Tensor, grad_offset: Tensor, weight: Tensor,
    columns: Tensor, im2col_step: int, **settings: int,
) -> None:  # fmt: skip
    """Fill ``grad_input`` and ``grad_offset`` with the gradients of :func:`deform_conv_forward`."""
    tensors = [grad_output, input, weight, offset, *_unused(input, weight)]
    grads = _call('_deform_conv2d_backward', tensors, False, **settings)
    grad_input.copy_(grads[0])
    grad_offset.copy_(grads[2])
    # torchvision also computes this gradient: keep it in mmcv's scratch memory for deform_conv_backward_parameters
    columns.resize_(weight.shape).copy_(grads[1])


def deform_conv_backward_parameters(
    input: Tensor, offset: Tensor, grad_output: Tensor, grad_weight: Tensor, columns: Tensor, ones: Tensor, scale:
    float, im2col_step: int, **settings: int,
) -> None:  # fmt: skip
    """Add the gradient of the weight of :func:`deform_conv_forward`, times ``scale``, to ``grad_weight``."""
    if columns.shape == grad_weight.shape:
        grad = columns
    else:  # the input needs no gradient; the gradient of the weight does not depend on the weight
        tensors = [grad_output, input, grad_weight, offset, *_unused(input, grad_weight)]
        grad = _call('_deform_conv2d_backward', tensors, False, **settings)[1]
    grad_weight.add_(grad, alpha=scale)


def modulated_deform_conv_forward(
    input: Tensor, weight: Tensor, bias: Tensor, ones: Tensor, offset: Tensor, mask: Tensor, output: Tensor,
    columns: Tensor, with_bias: bool, **settings: int,
) -> None:  # fmt: skip
    """Fill ``output`` with the deformable convolution with a mask (version 2) of N x C x H x W.

    ``offset`` as in :func:`deform_conv_forward`; ``bias`` is empty without a bias.
    """
    bias = bias if with_bias else weight.new_zeros(len(weight))
    offset, mask = (_read(maps, output) for maps in (offset, mask))
    output.copy_(_call('deform_conv2d', [input, weight, offset, mask, bias], True, **_renamed(settings)))


def modulated_deform_conv_backward(
    input: Tensor, weight: Tensor, bias: Tensor, ones: Tensor, offset: Tensor, mask: Tensor, columns: Tensor,
    grad_input: Tensor, grad_weight: Tensor, grad_bias: Tensor, grad_offset: Tensor, grad_mask: Tensor, grad_output:
    Tensor, with_bias: bool, **settings: int,
) -> None:  # fmt: skip
    """Fill the five ``grad_*`` tensors with the gradients of :func:`modulated_deform_conv_forward`."""
    read = [_read(maps, grad_output) for maps in (offset, mask)]
    tensors = [grad_output, input, weight, *read, weight.new_zeros(len(weight))]
    grads = _call('_deform_conv2d_backward', tensors, True, **_renamed(settings))
    for target, grad in zip((grad_input, grad_weight), grads[:2], strict=True):
        target.copy_(grad)
    for target, grad in zip((grad_offset, grad_mask), grads[2:4], strict=True):
        _read(target, grad_output).copy_(grad)
    if with_bias:
        grad_bias.copy_(grads[4])


def _read(maps: Tensor, output: Tensor) -> Tensor:
    """Return a view of the part that mmcv's op reads of offsets or masks larger than its output, as in DyHead.

    mmcv ignores their size: it takes the first numbers of each sample as maps of the output's size.
    """
    size = output.shape[-2:]
    if maps.shape[-2:] == size:
        return maps
    channels = maps.shape[1]
    return maps.view(len(maps), -1)[:, : channels * size.numel()].view(len(maps), channels, *size)


def _renamed(settings: dict[str, int]) -> dict[str, int]:
    """Rename the settings of version 2 of the op to those of version 1."""
    names = {'kernel': 'k', 'stride': 'd', 'pad': 'pad', 'dilation': 'dilation'}
    sizes = {names[key[:-2]] + key[-1].upper(): value for key, value in settings.items() if key[-2] == '_'}
    return {**sizes, 'group': settings['group'], 'deformable_group': settings['deformable_group']}
