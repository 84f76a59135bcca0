"""Overlaps of boxes.

It can go together with ``compat/mmcv_ops.py``.
"""

import torch
from torch import Tensor


def bbox_overlaps(bboxes1: Tensor, bboxes2: Tensor, ious: Tensor, mode: int, aligned: bool, offset: int) -> None:
    """Fill ``ious`` with the overlaps of boxes.

    Args:
        bboxes1: Boxes (x1, y1, x2, y2), M x 4.
        bboxes2: Boxes (x1, y1, x2, y2), N x 4, with N = M if aligned.
        ious: Result; M if aligned, else M x N.
        mode: Divisor: 0 for the area of the union, 1 for the area of the first box.
        aligned: Comparison pair by pair instead of all with all.
        offset: Offset of sizes: 0, or 1 where x2 and y2 are the last pixels inside.
    """
    first, second = bboxes1.unbind(-1), bboxes2.unbind(-1)
    if not aligned:
        first = [side[:, None] for side in first]
    area1, area2 = ((x2 - x1 + offset) * (y2 - y1 + offset) for x1, y1, x2, y2 in (first, second))
    width = torch.minimum(first[2], second[2]) - torch.maximum(first[0], second[0]) + offset
    height = torch.minimum(first[3], second[3]) - torch.maximum(first[1], second[1]) + offset
    inter = width.clamp(min=0) * height.clamp(min=0)
    base = area1 + area2 - inter if mode == 0 else area1
    if ious.is_cuda:  # as in mmcv's CUDA kernel, but not in its CPU kernel
        base = base.clamp(min=offset)
    ious.copy_(inter / base)
