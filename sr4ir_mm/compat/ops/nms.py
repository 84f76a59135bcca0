"""Non-maximum suppression.

It can go together with ``compat/mmcv_ops.py``.
"""

import operator
from collections.abc import Callable

import torch
from torch import Tensor

from . import at_least_float, torchvision_ops
from .boxes import bbox_overlaps


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Suppress boxes that overlap a better one.

    Args:
        boxes: Boxes (x1, y1, x2, y2), N x 4, float.
        scores: Scores of the boxes, N, float.
        iou_threshold: Overlap with a better box above which a box is removed.
        offset: Offset of sizes: 0, or 1 where x2 and y2 are the last pixels inside.

    Returns:
        Tensor: Indices of the boxes that stay, int64, best first.
    """
    boxes, scores = at_least_float(boxes), at_least_float(scores)
    if offset == 0:
        # torchvision's sort is stable and mmcv's is not: sort as mmcv first, so that equal scores agree too
        scores, order = scores.to(boxes).sort(descending=True)
        return order[torchvision_ops().nms(boxes[order], scores, iou_threshold)]
    groups = _suppress(boxes, scores, iou_threshold, offset, operator.gt)
    return torch.tensor([group[0] for group in groups], dtype=torch.long, device=boxes.device)


def nms_match(dets: Tensor, iou_threshold: float) -> list[list[int]]:
    """Group boxes by the box that suppresses them.

    Args:
        dets: Boxes (x1, y1, x2, y2, score), N x 5, float, on the CPU.
        iou_threshold: Overlap with a better box from which on a box joins its group.

    Returns:
        list[list[int]]: Indices for each box that stays: its own first, then the others by falling score.
    """
    return _suppress(dets[:, :4], dets[:, 4].contiguous(), iou_threshold, 0, operator.ge)


def _suppress(boxes: Tensor, scores: Tensor, threshold: float, offset: int, beats: Callable) -> list[list[int]]:
    order = scores.sort(descending=True)[1]
    groups = []
    while len(order):
        best, rest = order[:1], order[1:]
        overlaps = boxes.new_empty(1, len(rest))
        bbox_overlaps(boxes[best], boxes[rest], overlaps, mode=0, aligned=False, offset=offset)
        beaten = beats(overlaps[0], threshold)
        groups.append(torch.cat([best, rest[beaten]]).tolist())
        order = rest[~beaten]
    return groups


def softnms(
    boxes: Tensor,
    scores: Tensor,
    dets: Tensor,
    iou_threshold: float,
    sigma: float,
    min_score: float,
    method: int,
    offset: int,
) -> Tensor:
    """Lower the scores of boxes that overlap a better one (soft non-maximum suppression).

    Args:
        boxes: Boxes (x1, y1, x2, y2), N x 4, float32, on the CPU.
        scores: Scores of the boxes, N.
        dets: Result, N x 5: boxes and their new scores, best first.
        iou_threshold: Overlap for methods 0 and 1.
        sigma: Width of the Gaussian for method 2.
        min_score: Score below which a box is removed.
        method: Method: 0 naive, 1 linear, 2 Gaussian.
        offset: Offset of sizes: 0, or 1 where x2 and y2 are the last pixels inside.

    Returns:
        Tensor: Indices of the boxes that stay, int64; ``dets`` has as many valid rows.
    """
    scores, left = scores.clone(), torch.arange(len(boxes))
    kept: list[Tensor] = []
    while len(left):
        position = scores[left].argmax()
        best = left[position].clone()
        dets[len(kept), :4], dets[len(kept), 4] = boxes[best], scores[best]
        kept.append(best)
        left[position] = left[0]
        left = left[1:]
        overlaps = boxes.new_empty(1, len(left))
        bbox_overlaps(boxes[best][None], boxes[left], overlaps, mode=0, aligned=False, offset=offset)
        scores[left] *= _soft_weight(overlaps[0], iou_threshold, sigma, method)
        left = _drop(left, scores[left] < min_score)
    return torch.stack(kept) if kept else left


def _drop(left: Tensor, low: Tensor) -> Tensor:
    """Remove boxes by moving the last of the others to their places: mmcv's order, which decides on equal scores."""
    count = int((~low).sum())
    left[:count][low[:count]] = left[count:][~low[count:]].flip(0)
    return left[:count]


def _soft_weight(overlaps: Tensor, threshold: float, sigma: float, method: int) -> Tensor:
    if method == 2:
        return torch.exp(-(overlaps * overlaps) / sigma)
    lowered = torch.zeros_like(overlaps) if method == 0 else 1 - overlaps
    return torch.where(overlaps >= threshold, lowered, torch.ones_like(overlaps))
