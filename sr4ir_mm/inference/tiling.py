"""Super-resolution of images of any size in bounded memory."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from ..utils import check_number


def tiled(sr: Callable[[Tensor], Tensor], lr: Tensor, scale: int, tile: int = 256, overlap: int = 32) -> Tensor:
    """Super-resolve an image tile by tile.

    The SR network receives each tile with a rim of its neighbors, and the rim is cut off from the result. If the rim is
    as wide as the receptive field, the result is that of the whole image. A network with windows (SwinIR) also needs a
    ``tile`` and an ``overlap`` that are multiples of the window's size. Networks that pool over the whole image
    (NAFNet, Restormer) differ from tile to tile.

    Args:
        sr (Callable): SR network, N x 3 x h x w to N x 3 x (scale h) x (scale w).
        lr (Tensor): LR images, N x 3 x h x w, [0, 1], RGB, on the network's device.
        scale (int): Up-sampling factor of the network.
        tile (int): Side of a tile in LR pixels; memory grows with ``(tile + 2 overlap) ** 2``.
        overlap (int): Width of the rim in LR pixels.

    Returns:
        Tensor: N x 3 x (scale h) x (scale w), on the CPU.

    Raises:
        SR4IRError: If ``tile``, ``overlap`` or ``scale`` is no number of pixels.

    Example:
        >>> sr = tiled(model.sr, lr, model.scale, tile=128)
    """
    check_number('tiled', low=1, whole=True, tile=tile, scale=scale)
    check_number('tiled', low=0, whole=True, overlap=overlap)
    height, width = lr.shape[-2:]
    out = torch.empty(*lr.shape[:-2], height * scale, width * scale)
    for top, bottom, above, below in _spans(height, tile, overlap):
        for left, right, before, behind in _spans(width, tile, overlap):
            piece = sr(lr[..., above:below, before:behind])
            rows = slice((top - above) * scale, (bottom - above) * scale)
            columns = slice((left - before) * scale, (right - before) * scale)
            out[..., top * scale : bottom * scale, left * scale : right * scale] = piece[..., rows, columns]
    return out


def _spans(length: int, tile: int, overlap: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield begin and end of each tile along one side, and the same with its rim."""
    for begin in range(0, length, tile):
        end = min(begin + tile, length)
        yield begin, end, max(begin - overlap, 0), min(end + overlap, length)
