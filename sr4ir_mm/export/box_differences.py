"""Differences between boxes of a file and of PyTorch, which need not come in the same order."""

import math

import torch
from torch import Tensor

#: share of boxes that may be missing on one side: rounding decides which one of two boxes suppresses the other
MISSING = 0.02


def box_differences(
    found: dict[str, Tensor], expected: dict[str, Tensor], tolerance: float
) -> dict[str, tuple[float, float]]:
    """Compare boxes, each with the most similar one of the same label.

    Boxes whose scores are within the tolerance of the lowest score are left out: which of them stay is chance.

    Args:
        found, expected (dict[str, Tensor]): 'boxes', n x 4, 'scores', n, and 'labels', n.
        tolerance (float): Share of the largest coordinate, and difference of scores, up to which two boxes are equal.

    Returns:
        dict[str, tuple[float, float]]: Largest difference and largest value of boxes and of scores, each by a name with
        the number of boxes; infinite if more than 2 % of the boxes are on one side only.
    """
    size = max([float(side['boxes'].abs().max()) for side in (found, expected) if len(side['boxes'])], default=1.0)
    lowest = max([float(side['scores'].min()) for side in (found, expected) if len(side['scores'])], default=0.0)
    sides = [_points(side, size) for side in (found, expected)]
    pairs = [_nearest(*sides), _nearest(*sides[::-1])]
    apart = torch.cat(pairs)[torch.cat([side[:, 4] for side in sides]) > lowest + tolerance]
    missing = int((apart > tolerance).sum())
    near = pairs[1][pairs[1] <= tolerance]
    difference = math.inf if missing > MISSING * len(apart) else float(near.max()) if len(near) else 0.0
    count = len(expected['scores'])
    return {f'boxes ({count})': (difference * size, size), f'scores ({count})': (difference, 1.0)}


def _points(side: dict[str, Tensor], size: float) -> Tensor:
    """Return boxes with scores and labels, n x 6, of comparable sizes."""
    return torch.cat([side['boxes'] / size, side['scores'][:, None], 1000.0 * side['labels'][:, None]], 1)


def _nearest(points: Tensor, others: Tensor) -> Tensor:
    distances = (points[:, None] - others).abs().amax(-1)
    return torch.cat([distances, torch.full((len(points), 1), math.inf)], 1).amin(1)
