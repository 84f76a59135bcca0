"""Super-resolution of images of any size in bounded memory."""

from collections import defaultdict
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from ..utils import check_number

#: Begin and end of a tile along one side, and the same with its rim
Span = tuple[int, int, int, int]


def tiled(
    sr: Callable[[Tensor], Tensor],
    lr: Tensor,
    scale: int,
    tile: int = 256,
    overlap: int = 32,
    batch_pixels: int = 320 * 320,
) -> Tensor:
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
        batch_pixels (int): LR pixels up to which tiles of one size make a batch. The default is one tile of the default
            size, with its rim, so that smaller tiles take no more memory than it.

    Returns:
        Tensor: N x 3 x (scale h) x (scale w), on the CPU.

    Raises:
        SR4IRError: If ``tile``, ``overlap``, ``scale`` or ``batch_pixels`` is no number of pixels.

    Example:
        >>> sr = tiled(model.sr, lr, model.scale, tile=128)
    """
    check_number('tiled', low=1, whole=True, tile=tile, scale=scale, batch_pixels=batch_pixels)
    check_number('tiled', low=0, whole=True, overlap=overlap)
    height, width = lr.shape[-2:]
    out = torch.empty(*lr.shape[:-2], height * scale, width * scale)
    for batch in _batches(lr.shape, tile, overlap, batch_pixels):
        pieces = sr(torch.cat([lr[..., y[2] : y[3], x[2] : x[3]] for y, x in batch])).chunk(len(batch))
        for (y, x), piece in zip(batch, pieces):
            rows, columns = (slice((a - c) * scale, (b - c) * scale) for a, b, c, _ in (y, x))
            out[..., y[0] * scale : y[1] * scale, x[0] * scale : x[1] * scale] = piece[..., rows, columns]
    return out


def _batches(shape: torch.Size, tile: int, overlap: int, pixels: int) -> Iterator[list[tuple[Span, Span]]]:
    """Yield rows and columns of tiles that are of one size and go through the network together."""
    groups = defaultdict(list)
    for y in _spans(shape[-2], tile, overlap):
        for x in _spans(shape[-1], tile, overlap):
            groups[y[3] - y[2], x[3] - x[2]].append((y, x))
    for (height, width), tiles in groups.items():
        count = max(1, pixels // (shape[0] * height * width))
        yield from (tiles[i : i + count] for i in range(0, len(tiles), count))


def _spans(length: int, tile: int, overlap: int) -> Iterator[Span]:
    """Yield the tiles along one side."""
    for begin in range(0, length, tile):
        end = min(begin + tile, length)
        yield begin, end, max(begin - overlap, 0), min(end + overlap, length)
