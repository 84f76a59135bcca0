"""Pooling of regions of interest. ``rois`` is K x 5: index of the image, x1, y1, x2, y2.

It can go together with ``compat/mmcv_ops.py``.
"""

import torch
from torch import Tensor

from ..mmcv_ops import MissingOpError
from . import at_least_float, torchvision_ops


def roi_align_forward(
    input: Tensor, rois: Tensor, output: Tensor, argmax_y: Tensor, argmax_x: Tensor, aligned_height: int,
    aligned_width: int, spatial_scale: float, sampling_ratio: int, pool_mode: int, aligned: bool,
) -> None:  # fmt: skip
    """Fill ``output``, K x C x height x width, with RoIAlign of N x C x H x W.

    Raises:
        MissingOpError: For maximum pooling (``pool_mode`` 0), which torchvision does not have.
    """
    if pool_mode != 1:
        raise MissingOpError('roi_align_forward', "pool_mode='max'")
    args = (spatial_scale, aligned_height, aligned_width, sampling_ratio, aligned)
    input = at_least_float(input)
    output.copy_(torchvision_ops().roi_align(input, rois.to(input), *args))


def roi_align_backward(
    grad_output: Tensor, rois: Tensor, argmax_y: Tensor, argmax_x: Tensor, grad_input: Tensor, aligned_height: int,
    aligned_width: int, spatial_scale: float, sampling_ratio: int, pool_mode: int, aligned: bool,
) -> None:  # fmt: skip
    """Fill ``grad_input``, N x C x H x W, with the gradient of :func:`roi_align_forward`."""
    if pool_mode != 1:
        raise MissingOpError('roi_align_backward', "pool_mode='max'")
    size = (spatial_scale, aligned_height, aligned_width, *grad_input.shape)
    grad = at_least_float(grad_output)
    grad_input.copy_(torchvision_ops()._roi_align_backward(grad, rois.to(grad), *size, sampling_ratio, aligned))


def roi_pool_forward(
    input: Tensor, rois: Tensor, output: Tensor, argmax: Tensor, pooled_height: int, pooled_width: int,
    spatial_scale: float,
) -> None:  # fmt: skip
    """Fill ``output`` with RoIPool of N x C x H x W, and ``argmax`` with h * W + w, or -1 for an empty bin.

    Both are K x C x h x w. torchvision's function differs: it rounds the corners of a box to pixels first.
    """
    height, width = input.shape[-2:]
    ys = _bins(rois[:, 2], rois[:, 4], spatial_scale, pooled_height, height)
    xs = _bins(rois[:, 1], rois[:, 3], spatial_scale, pooled_width, width)
    output.zero_()
    argmax.fill_(-1)
    for k, image in enumerate(rois[:, 0].long().tolist()):
        for j, (x1, x2) in enumerate(xs[k]):
            if x2 <= x1:
                continue
            # columns first, then rows; of equal values, max takes the first one, as mmcv does
            row_max, row_arg = input[image, :, :, x1:x2].max(-1)
            for i, (y1, y2) in enumerate(ys[k]):
                if y2 > y1:
                    output[k, :, i, j], y = row_max[:, y1:y2].max(-1)
                    x = row_arg[:, y1:y2].gather(-1, y[:, None])[:, 0]
                    argmax[k, :, i, j] = (y + y1) * width + x + x1


def _bins(start: Tensor, end: Tensor, scale: float, bins: int, limit: int) -> list[list[list[int]]]:
    start, end = at_least_float(start) * scale, (at_least_float(end) + 1) * scale
    edges = torch.arange(bins + 1, device=start.device).to(start) * ((end - start) / bins)[:, None]
    low = (edges[:, :-1] + start[:, None]).floor()
    high = (edges[:, 1:] + start[:, None]).ceil()
    high = torch.where((end > start)[:, None], high, low)  # boxes without an area have empty bins
    return torch.stack([low, high], -1).clamp(0, limit).long().tolist()


def roi_pool_backward(
    grad_output: Tensor, rois: Tensor, argmax: Tensor, grad_input: Tensor, pooled_height: int, pooled_width: int,
    spatial_scale: float,
) -> None:  # fmt: skip
    """Add the gradient of :func:`roi_pool_forward` to ``grad_input``, N x C x H x W, which holds zeros."""
    images = rois[:, 0].long()[:, None, None, None].expand_as(argmax)
    channels = torch.arange(argmax.shape[1], device=argmax.device)[None, :, None, None].expand_as(argmax)
    taken = argmax >= 0
    index = (images[taken], channels[taken], argmax[taken].long())
    grad_input.flatten(2).index_put_(index, grad_output[taken].to(grad_input), accumulate=True)
