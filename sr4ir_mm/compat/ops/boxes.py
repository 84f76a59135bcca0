"""Box ops: non-maximum suppression and overlaps."""

import operator
from collections.abc import Callable

import torch
from torch import Tensor

from . import at_least_float, torchvision_ops


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Non-maximum suppression.

    Args:
        boxes: N x 4, (x1, y1, x2, y2), float.
        scores: N, float.
        iou_threshold: Boxes that overlap a better one by more than this go.
        offset: 0, or 1 where x2 and y2 are the last pixels inside.

    Returns:
        int64 indices of the boxes that stay, best first.
    """
    boxes, scores = at_least_float(boxes), at_least_float(scores)
    if offset == 0:
        return torchvision_ops().nms(boxes, scores.to(boxes), iou_threshold)
    groups = _suppress(boxes, scores, iou_threshold, offset, operator.gt)
    return torch.tensor([group[0] for group in groups], dtype=torch.long, device=boxes.device)


def nms_match(dets: Tensor, iou_threshold: float) -> list[list[int]]:
    """Group boxes by the one that suppresses them.

    Args:
        dets: N x 5, (x1, y1, x2, y2, score), float, on the CPU.
        iou_threshold: Boxes that overlap a better one by this or more join its group.

    Returns:
        One list of indices per box that stays, itself first, the others by falling score.
    """
    return _suppress(dets[:, :4], dets[:, 4], iou_threshold, 0, operator.ge)


def _suppress(boxes: Tensor, scores: Tensor, threshold: float, offset: int, beats: Callable) -> list[list[int]]:
    order = scores.argsort(descending=True, stable=True)
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
    """Soft non-maximum suppression: lowers the scores of boxes that overlap a better one.

    Args:
        boxes: N x 4, float32, on the CPU.
        scores: N.
        dets: N x 5, filled in place with boxes and their new scores, best first.
        iou_threshold: Used by methods 0 and 1.
        sigma: Used by method 2.
        min_score: Boxes whose score falls below go.
        method: 0 naive, 1 linear, 2 gaussian.
        offset: 0, or 1 where x2 and y2 are the last pixels inside.

    Returns:
        int64 indices of the boxes that stay, as many as there are valid rows in ``dets``.
    """
    scores, left = scores.clone(), torch.arange(len(boxes))
    kept: list[Tensor] = []
    while len(left):
        best = left[scores[left].argmax()]
        dets[len(kept), :4], dets[len(kept), 4] = boxes[best], scores[best]
        kept.append(best)
        left = left[left != best]
        overlaps = boxes.new_empty(1, len(left))
        bbox_overlaps(boxes[best][None], boxes[left], overlaps, mode=0, aligned=False, offset=offset)
        scores[left] *= _soft_weight(overlaps[0], iou_threshold, sigma, method)
        left = left[scores[left] >= min_score]
    return torch.stack(kept) if kept else left


def _soft_weight(overlaps: Tensor, threshold: float, sigma: float, method: int) -> Tensor:
    if method == 2:
        return torch.exp(-(overlaps * overlaps) / sigma)
    lowered = torch.zeros_like(overlaps) if method == 0 else 1 - overlaps
    return torch.where(overlaps >= threshold, lowered, torch.ones_like(overlaps))


def bbox_overlaps(bboxes1: Tensor, bboxes2: Tensor, ious: Tensor, mode: int, aligned: bool, offset: int) -> None:
    """Overlaps of boxes.

    Args:
        bboxes1: M x 4, (x1, y1, x2, y2).
        bboxes2: N x 4, with N = M if aligned.
        ious: Filled in place; M if aligned, else M x N.
        mode: 0 divides by the area of the union, 1 by the area of the first box.
        aligned: Pair by pair instead of all with all.
        offset: 0, or 1 where x2 and y2 are the last pixels inside.
    """
    first, second = bboxes1.unbind(-1), bboxes2.unbind(-1)
    if not aligned:
        first = [side[:, None] for side in first]
    area1, area2 = ((x2 - x1 + offset) * (y2 - y1 + offset) for x1, y1, x2, y2 in (first, second))
    width = torch.minimum(first[2], second[2]) - torch.maximum(first[0], second[0]) + offset
    height = torch.minimum(first[3], second[3]) - torch.maximum(first[1], second[1]) + offset
    inter = width.clamp(min=0) * height.clamp(min=0)
    base = area1 + area2 - inter if mode == 0 else area1.expand_as(inter)
    ious.copy_(inter / base.clamp(min=offset))
