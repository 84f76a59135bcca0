"""Overlapping windows along one side of a scene, and how the values of neighbors are blended."""

from dataclasses import dataclass
from functools import cached_property
from math import gcd

import torch
from torch import Tensor

from ..errors import SR4IRError
from ..utils import check_number

#: SR pixels of which the begins of windows are multiples: the largest usual stride of a task network
STRIDE = 32
Span = tuple[int, int]


@dataclass(frozen=True)
class Axis:
    """Windows of one size along a side, the last of them up to a stride smaller.

    Where two windows overlap, the quarter of the overlap next to the border of each has no weight, because a network
    lacks the other side of the border there. In between the weights go over from one window to the other. So values of
    a network whose receptive field ends within ``overlap / 4`` are those of the whole scene.

    Args:
        length (int): Length of the side in LR pixels.
        window (int): Length of a window in LR pixels.
        overlap (int): LR pixels that neighbors have in common; the last two may have more.
        scale (int): SR pixels for each LR pixel.
        ratio (int): Pixels of the values for each LR pixel.

    Raises:
        SR4IRError: If a number is wrong.

    Example:
        >>> Axis(100, 48, 16, 4).windows
        [(0, 48), (32, 80), (56, 100)]
    """

    length: int
    window: int
    overlap: int
    scale: int
    ratio: int = 1

    def __post_init__(self) -> None:
        step = smallest_window(self.scale)
        check_number('windows', low=step, whole=True, window=self.window)
        check_number('windows', low=0, whole=True, overlap=self.overlap)
        if self.overlap > self.window // 2 or self.window - self.overlap < step:
            raise SR4IRError(
                f'A window of {self.window} px takes an overlap of at most {min(self.window // 2, self.window - step)} '
                f'px, not {self.overlap}: set a smaller --overlap, or a larger --window.'
            )

    @cached_property
    def windows(self) -> list[Span]:
        """Begin and end of each window in LR pixels."""
        step = smallest_window(self.scale)
        stride = (self.window - self.overlap) // step * step
        last = -(-max(self.length - self.window, 0) // step) * step
        return [(begin, min(begin + self.window, self.length)) for begin in [*range(0, last, stride), last]]

    def blend(self, values: Tensor, index: int, dim: int, carry: Tensor | None) -> tuple[Tensor, Tensor]:
        """Blend the values of a window with those of the one before it.

        Args:
            values (Tensor): Values in the window.
            index (int): Number of the window.
            dim (int): Dimension of ``values`` along this side.
            carry (Tensor, optional): What this method returned for the window before; None for no values there.

        Returns:
            tuple[Tensor, Tensor]: Values that are complete, those of :meth:`complete`, and those that go over into
            the next window.
        """
        begin, end = self._ramp(index - 1)[0], self._ramp(index)[1]
        values = values.narrow(dim, begin - self.windows[index][0] * self.ratio, end - begin)
        values = values * self._weights(index).reshape([-1 if i == dim else 1 for i in range(values.ndim)])
        if carry is not None:
            values.narrow(dim, 0, carry.shape[dim]).add_(carry)
        count = self._ramp(index)[0] - begin
        return values.narrow(dim, 0, count), values.narrow(dim, count, end - begin - count)

    def complete(self, index: int) -> Span:
        """Return begin and end, in pixels of the values, of what is complete with a window and those before it."""
        return self._ramp(index - 1)[0], self._ramp(index)[0]

    def _ramp(self, index: int) -> Span:
        """Return where a window goes over into the next one; for the first and the last, also an end of the side."""
        if index < 0:
            return 0, 0
        if index == len(self.windows) - 1:
            return (self.length * self.ratio,) * 2
        begin, end = self.windows[index + 1][0], self.windows[index][1]
        width = self.overlap // 2
        low = begin + (end - begin - width) // 2
        return low * self.ratio, (low + width) * self.ratio

    def _weights(self, index: int) -> Tensor:
        (begin, rise), (fall, end) = self._ramp(index - 1), self._ramp(index)
        steps = torch.ones(fall - rise)
        return torch.cat([_rising(rise - begin), steps, _rising(end - fall).flip(0)])


def smallest_window(scale: int) -> int:
    """Return the side of the smallest window in LR pixels, of which the begins of all windows are multiples."""
    return STRIDE // gcd(STRIDE, scale)


def _rising(count: int) -> Tensor:
    return (torch.arange(count) + 0.5) / max(count, 1)
