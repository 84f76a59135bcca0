"""Padding at the right and the bottom."""

import torch.nn.functional as F
from torch import Tensor


def pad_to_multiple(
    image: Tensor, divisor: int, mode: str = 'replicate', value: float = 0, smallest: int = 0
) -> Tensor:
    """Pad images at the right and the bottom until ``divisor`` divides both sides.

    The sides are written as ``ceil(side / divisor) * divisor``, from which ``torch.export`` knows that the results are
    multiples.

    Args:
        image (Tensor): N x C x H x W, any range.
        divisor (int): Divisor of both sides of the result.
        mode (str): Padding mode of :func:`torch.nn.functional.pad`.
        value (float): Fill value in mode 'constant'.
        smallest (int): Smallest side of the result, a multiple of ``divisor``.

    Returns:
        Tensor: N x C x (H rounded up) x (W rounded up).
    """
    height, width = (
        smallest - side if side < smallest else (side + divisor - 1) // divisor * divisor - side
        for side in image.shape[-2:]
    )
    return F.pad(image, (0, width, 0, height), mode=mode, value=value)
