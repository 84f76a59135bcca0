"""Slices of SR images for the task network: small objects in large images."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mmengine.config import ConfigDict
from torch import nn

from ..config.nodes import type_name
from ..errors import SR4IRError
from ..models import SR4IR
from ..utils import check_number, unwrap

#: steps that give the image a size of the task network's own
_RESIZES = ('Resize', 'ResizeShortestEdge')
#: left, top, right and bottom in pixels
Window = tuple[int, int, int, int]


@dataclass(frozen=True)
class Slices:
    """Square slices with an overlap that cover an image.

    Args:
        size (int): Side in SR pixels, rounded down to a multiple of the scale.
        overlap (float): Smallest share of a side that neighbors have in common.

    Raises:
        SR4IRError: If a number is wrong.

    Example:
        >>> list(Slices(64, 0.25).windows((64, 100), 4))
        [(0, 0, 64, 64), (36, 0, 100, 64)]
    """

    size: int
    overlap: float = 0.2

    def __post_init__(self) -> None:
        check_number('slices', low=32, whole=True, slice_size=self.size)
        check_number('slices', low=0, high=0.9, slice_overlap=self.overlap)

    def cut(self, size: tuple[int, int]) -> bool:
        """Return whether an image of this height and width has more than one slice."""
        return max(size) > self.size

    def windows(self, size: tuple[int, int], scale: int) -> list[Window]:
        """Return the slices of an image row by row.

        Args:
            size (tuple[int, int]): Height and width of the SR image.
            scale (int): Number of which all begins are multiples.
        """
        rows, columns = (self._spans(side, scale) for side in size)
        return [(left, top, right, bottom) for top, bottom in rows for left, right in columns]

    def _spans(self, length: int, scale: int) -> list[tuple[int, int]]:
        side = max(self.size // scale, 1) * scale
        step = max(int(side * (1 - self.overlap)) // scale, 1) * scale
        last = -(-max(length - side, 0) // scale) * scale
        return [(begin, min(begin + side, length)) for begin in [*range(0, last, step), last]]


def make_slices(model: SR4IR, size: int | None, overlap: float | None) -> Slices | None:
    """Return the slices that are asked for.

    Args:
        model (SR4IR): Model, not wrapped.
        size (int, optional): Side of a slice in SR pixels; None for whole images.
        overlap (float, optional): Share of a side that neighbors have in common; 0.2 by default.

    Raises:
        SR4IRError: If the task network predicts neither objects nor a map of classes, or a number is wrong.
    """
    if size is None:
        if overlap is not None:
            raise SR4IRError('slice_overlap (--slice-overlap) has no effect without slice_size (--slice): set it, too.')
        return None
    slices = Slices(size, 0.2 if overlap is None else overlap)
    if reason := no_parts_reason(model):
        raise SR4IRError(f'Slices are for objects and maps of classes, but {reason}: leave out slice_size (--slice).')
    return slices


def slides(task: nn.Module) -> bool:
    """Return whether a task network has windows of its own, as those of mmseg do."""
    return hasattr(task, 'slide_inference')


@contextmanager
def own_windows(task: nn.Module, slices: Slices | None) -> Iterator[None]:
    """Let a network for semantic segmentation predict in windows of its own: its classes have no borders to merge.

    Args:
        task (nn.Module): Task network. Afterwards it predicts as before: images that are not cut need it so.
        slices (Slices, optional): Size and overlap of the windows; None changes nothing.
    """
    if slices is None:
        yield
        return
    task = unwrap(task)
    before = task.test_cfg
    stride = max(int(slices.size * (1 - slices.overlap)), 1)
    task.test_cfg = ConfigDict({**before, 'mode': 'slide', 'crop_size': (slices.size,) * 2, 'stride': (stride,) * 2})
    try:
        yield
    finally:
        task.test_cfg = before


def without_resize(pipeline: list[dict]) -> list[dict]:
    """Return a test pipeline that leaves the size of SR images as it is."""
    return [step for step in pipeline if type_name(step['type']) not in _RESIZES]


def no_parts_reason(model: SR4IR) -> str:
    """Return why a model, not wrapped, has no predictions of parts of an image that can be merged; '' if it has."""
    task = unwrap(model.task)
    if task is None or not model.scheme.uses_task_net:
        return 'the scheme has no task network'
    name = type(task).__name__
    fusion = getattr(task, 'panoptic_fusion_head', None)
    if fusion is not None and (getattr(fusion, 'test_cfg', None) or {}).get('panoptic_on', True):
        return f'the parts of stuff that {name} finds (panoptic segmentation) cannot be merged'
    if not (slides(task) or hasattr(task, 'add_pred_to_datasample')):
        return f'{name} predicts one result for the whole image'
    return ''
