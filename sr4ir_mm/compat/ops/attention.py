"""Multi-scale deformable attention by mmcv's PyTorch version.

It can go together with ``compat/mmcv_ops.py``.
"""

import torch
from torch import Tensor

from ..mmcv_ops import MissingOpError
from . import at_least_float


def ms_deform_attn_forward(
    value: Tensor,
    spatial_shapes: Tensor,
    level_start_index: Tensor,
    sampling_locations: Tensor,
    attention_weights: Tensor,
    im2col_step: int,
) -> Tensor:
    """Compute multi-scale deformable attention; shapes as in ``mmcv.ops.multi_scale_deform_attn``.

    Raises:
        MissingOpError: If ``value`` does not contain the levels in order and without gaps.
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
    """Fill the three ``grad_*`` tensors with the gradients of :func:`ms_deform_attn_forward`."""
    value, locations, weights = (t.detach().requires_grad_() for t in (value, sampling_locations, attention_weights))
    with torch.enable_grad():
        out = ms_deform_attn_forward(value, spatial_shapes, level_start_index, locations, weights, im2col_step)
    grads = torch.autograd.grad(out, (value, locations, weights), grad_output)
    for target, grad in zip((grad_value, grad_sampling_loc, grad_attn_weight), grads, strict=True):
        target.copy_(grad)
