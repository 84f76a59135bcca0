"""Results with a value for each pixel: maps of classes and SR images."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import torch
from mmengine.structures import BaseDataElement
from torch import Tensor

from ..datasets.selection import UNLABELED, is_among
from ..errors import SR4IRError
from .axis import Axis
from .pieces import Pieces


@dataclass
class Layer:
    """A result that windows add to, from left to right and from top to bottom.

    Args:
        name (str): Name of its files.
        rows (Axis): Windows from top to bottom.
        columns (Axis): Windows from left to right.
        read (Callable): Function that takes the values from a data sample, C x h x w, float.
        finish (Callable): Function that makes the result of blended values, lines x width x channels.
        dtype (type): Type of the result.
        nodata (int): Result where the scene has no data.
        channels (int): Numbers of a pixel of the result.
    """

    name: str
    rows: Axis
    columns: Axis
    read: Callable[[BaseDataElement], Tensor]
    finish: Callable[[Tensor], np.ndarray]
    dtype: type
    nodata: int
    channels: int = 1
    _carry: Tensor | None = field(default=None, init=False)

    def add(
        self, pieces: Pieces, file: BinaryIO, place: tuple[int, int], sample: BaseDataElement | None, valid: np.ndarray
    ) -> None:
        """Write what a window completes.

        Args:
            pieces (Pieces): What windows above have left.
            file (BinaryIO): File of the row.
            place (tuple[int, int]): Row and column of the window.
            sample (BaseDataElement, optional): Prediction; None for a window without data.
            valid (np.ndarray): Pixels of the window that hold data, h x w, bool.
        """
        row, column = place
        (top, bottom), (left, right) = self.rows.complete(row), self.columns.complete(column)
        if sample is None:
            self._carry = None
            np.full((bottom - top, right - left, self.channels), self.nodata, self.dtype).tofile(file)
            return
        carry = self._carry if column else None
        values, self._carry = self.columns.blend(self.read(sample).cpu().float(), column, 2, carry)
        values, rest = self.rows.blend(values, row, 1, pieces.kept(self.name, row - 1, column) if row else None)
        if rest.shape[1]:
            pieces.keep(self.name, row, column, rest)
        block = np.ascontiguousarray(self.finish(values), self.dtype)
        if not valid.all():
            block[~self._part(valid, place)] = self.nodata
        block.tofile(file)

    def _part(self, valid: np.ndarray, place: tuple[int, int]) -> np.ndarray:
        """Return the part of a window's pixels that it completes, in pixels of the result."""
        for axis, index, side in zip((self.rows, self.columns), place, range(2)):
            begin = axis.windows[index][0] * axis.ratio
            low, high = (value - begin for value in axis.complete(index))
            valid = valid.repeat(axis.ratio, side).take(range(low, high), side)
        return valid


def class_layer(
    rows: Axis, columns: Axis, count: int, threshold: float | None, labels: list[int] | None = None
) -> Layer:
    """Make the layer of a map of classes.

    Args:
        rows, columns (Axis): Windows.
        count (int): Number of classes.
        threshold (float, optional): Score of the one class above which a pixel is of it, for a network of one channel.
        labels (list[int], optional): Classes that are kept; others become as pixels without data.
    """
    dtype = np.uint8 if count < UNLABELED else np.uint16
    nodata = UNLABELED if count < UNLABELED else 2**16 - 1

    def finish(scores: Tensor) -> np.ndarray:
        found = scores.argmax(0) if len(scores) > 1 else (scores[0] > threshold).long()
        if labels is not None:
            found = torch.where(is_among(found, labels), found, nodata)
        return found.numpy()[..., None]

    return Layer('classes', rows, columns, _scores, finish, dtype, nodata)


def image_layer(rows: Axis, columns: Axis, darkest: int) -> Layer:
    """Make the layer of the SR image, RGB; 0 where the scene has no data, and ``darkest`` where it is black."""
    return Layer(
        'sr',
        rows,
        columns,
        lambda sample: sample.task_input,
        lambda image: image.mul(255).round().clamp(darkest, 255).permute(1, 2, 0).numpy(),
        np.uint8,
        0,
        3,
    )


def _scores(sample: BaseDataElement) -> Tensor:
    if 'seg_logits' not in sample:
        raise SR4IRError(
            'The windows of a scene are blended by the scores of classes, and these predictions hold none: leave out '
            '--tta; maps of other things, such as depth, are predicted of whole images (--window 0).'
        )
    return sample.seg_logits.data
