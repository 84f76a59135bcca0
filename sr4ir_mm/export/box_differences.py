"""Differences between boxes of a file and of PyTorch, which need not come in the same order."""

import math

import torch
from torch import Tensor

#: share of boxes that may be missing on one side: rounding decides which one of two boxes suppresses the other
MISSING = 0.02
#: how many more boxes one side may have for each unit of tolerance, as their scores are at the threshold: 2 in float16
AT_THRESHOLD = 40


def box_differences(
    found: dict[str, Tensor], expected: dict[str, Tensor], tolerance: float
) -> dict[str, tuple[float, float]]:
    """Compare boxes, each with the most similar one of the same label.

    Boxes whose scores are within the tolerance of the lowest expected one are left out: which of them stay is chance.
    How many there are is compared.

    Args:
        found, expected (dict[str, Tensor]): 'boxes', n x 4, 'scores', n, and 'labels', n.
        tolerance (float): Share of the largest coordinate, and difference of scores, up to which two boxes are equal.

    Returns:
        dict[str, tuple[float, float]]: Largest difference and largest value of boxes and of scores, each by a name with
        the number of boxes; infinite if more than 2 % of the boxes are on one side only, or the numbers of boxes differ
        by more than that, in float16 by more than 5 % and 2 boxes.
    """
    size = max([float(side['boxes'].abs().max()) for side in (found, expected) if len(side['boxes'])], default=1.0)
    lowest = min(expected['scores'].tolist(), default=tolerance)  # of `found`, it would hide boxes that are missing
    sides = [_points(side, size) for side in (found, expected)]
    pairs = [_nearest(*sides), _nearest(*sides[::-1])]
    apart = torch.cat(pairs)[torch.cat([side[:, 4] for side in sides]) > lowest + tolerance]
    missing = int((apart > tolerance).sum())
    extra = abs(len(pairs[0]) - len(pairs[1]))
    is_wrong = missing > MISSING * len(apart) or extra > _allowed(len(pairs[0]) + len(pairs[1]), tolerance)
    near = pairs[1][pairs[1] <= tolerance]
    difference = math.inf if is_wrong else float(near.max()) if len(near) else 0.0
    count = len(expected['scores'])
    return {f'boxes ({count})': (difference * size, size), f'scores ({count})': (difference, 1.0)}


def _allowed(count: int, tolerance: float) -> float:
    """Return by how much the numbers of boxes may differ; ``count`` is their sum."""
    return max(MISSING, tolerance) * count + AT_THRESHOLD * tolerance


def _points(side: dict[str, Tensor], size: float) -> Tensor:
    """Return boxes with scores and labels, n x 6, of comparable sizes."""
    return torch.cat([side['boxes'] / size, side['scores'][:, None], 1000.0 * side['labels'][:, None]], 1)


def _nearest(points: Tensor, others: Tensor) -> Tensor:
    distances = (points[:, None] - others).abs().amax(-1)
    return torch.cat([distances, torch.full((len(points), 1), math.inf)], 1).amin(1)
