"""Selection of boxes with tensors whose sizes do not depend on the scores, as a file needs it.

A box that mmdet would drop stays, with the score 0, until the end.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

#: boxes that compete with each other, where a detector itself has no limit; TensorRT sorts at most 3840
CANDIDATES = 3000


def best(scores: Tensor, threshold: float, count: int) -> tuple[Tensor, Tensor]:
    """Find the best scores.

    Args:
        scores (Tensor): Scores, N, at least 0.
        threshold (float): Score; those that are not above it become 0.
        count (int): Number of scores to find, also if N is smaller.

    Returns:
        tuple[Tensor, Tensor]: Scores, best first, and their indices; both of length ``count``.
    """
    scores = torch.where(scores > threshold, scores, 0.0)
    found, index = F.pad(scores, (0, count)).topk(count)
    return found, index.clamp(max=scores.shape[0] - 1)


def suppress(boxes: Tensor, scores: Tensor, groups: Tensor, cfg: dict | None, count: int) -> tuple[Tensor, Tensor]:
    """Do as mmcv's ``batched_nms``.

    Args:
        boxes (Tensor): Boxes (x1, y1, x2, y2), N x 4.
        scores (Tensor): Scores, N; boxes with the score 0 do not take part.
        groups (Tensor): Labels, N; boxes of two groups do not suppress each other.
        cfg (dict, optional): ``nms`` of a ``test_cfg``; None for no suppression.
        count (int): Largest number of boxes that stay.

    Returns:
        tuple[Tensor, Tensor]: Scores, best first, and their indices; both of length ``count``.

    Raises:
        NotImplementedError: If ``cfg`` asks for anything but plain NMS.
    """
    if cfg is None:
        return best(scores, 0.0, count)
    if cfg.get('type', 'nms') != 'nms' or cfg.get('offset', 0):
        raise NotImplementedError(f'ONNX has the operator NonMaxSuppression for nms={dict(type="nms")}, not for {cfg}')
    import torchvision  # takes a second

    valid = (scores > 0)[:, None]
    boxes = torch.where(valid, boxes, 0.0)
    if not cfg.get('class_agnostic', False):
        boxes = boxes + groups[:, None] * (boxes.max() + 1)
    far = boxes.new_tensor([-9.0, -9.0, -8.0, -8.0])  # where the boxes that do not take part suppress each other
    keep = torchvision.ops.nms(torch.where(valid, boxes, far), scores, cfg.get('iou_threshold', cfg.get('iou_thr')))
    keep = F.pad(keep, (0, count), value=scores.shape[0]).narrow(0, 0, count)
    return F.pad(scores, (0, 1))[keep], keep.clamp(max=scores.shape[0] - 1)
