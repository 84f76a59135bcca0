"""Objects that windows of a scene have in common."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from mmengine.structures import InstanceData

from ..inference.merging import box_list, group, union
from ..inference.predictions import run_lengths
from .axis import Axis
from .scene import Window


@dataclass(frozen=True)
class SceneObject:
    """An object of a scene.

    Args:
        bbox (Sequence[float]): Left, top, right and bottom in pixels of the result.
        label (int): Class.
        score (float): Score.
        mask (np.ndarray, optional): Its pixels, h x w, bool.
        corner (tuple[int, int]): Left and top of the mask in pixels of the result.
    """

    bbox: Sequence[float]
    label: int
    score: float
    mask: np.ndarray | None = None
    corner: tuple[int, int] = (0, 0)

    def to_dict(self, ratio: int) -> dict:
        """Return plain data in LR pixels for :func:`write_geojson`; ``ratio`` pixels of the result are one of them."""
        found = dict(bbox=[side / ratio for side in self.bbox], label=self.label, score=self.score)
        return found if self.mask is None or not self.mask.size else dict(found, polygons=list(self._outlines(ratio)))

    def _outlines(self, ratio: int) -> Iterator[np.ndarray]:
        from rasterio.features import shapes  # of rasters alone

        for shape, _ in shapes(self.mask.astype(np.uint8), self.mask):
            yield (np.array(shape['coordinates'][0]) + self.corner) / ratio


def window_objects(
    found: InstanceData, place: tuple[int, int], window: Window, ratio: int, valid: np.ndarray
) -> list[dict]:
    """Return the objects of a window as plain data, those without a pixel of data left out.

    Args:
        found (InstanceData): Objects in pixels of the window's result.
        place (tuple[int, int]): Row and column of the window.
        window (Window): Window in LR pixels.
        ratio (int): Pixels of the result for each LR pixel.
        valid (np.ndarray): Pixels of the window that hold data, h x w, bool.
    """
    entries = []
    left, top = window[0] * ratio, window[1] * ratio
    masks = found.get('masks')
    for i, box in enumerate(box_list(found).tolist()):
        low, high = np.floor(np.array(box) / ratio).astype(int).clip(0).reshape(2, 2)
        if not valid[low[1] : high[1] + 1, low[0] : high[0] + 1].any():
            continue
        bbox = [box[0] + left, box[1] + top, box[2] + left, box[3] + top]
        entry = dict(place=place, bbox=bbox, label=int(found.labels[i]), score=float(found.scores[i]))
        entries.append(entry if masks is None else dict(entry, mask=run_lengths(np.asarray(masks[i]))))
    return entries


def merge_objects(entries: Sequence[dict], rows: Axis, columns: Axis, ratio: int) -> list[SceneObject]:
    """Merge the objects of all windows, so that each comes out once and whole; see :func:`merge`.

    Args:
        entries (Sequence[dict]): What :func:`window_objects` returned.
        rows, columns (Axis): Windows from top to bottom, and from left to right.
        ratio (int): Pixels of the result for each LR pixel.

    Returns:
        list[SceneObject]: Objects, the highest score first.
    """
    boxes = torch.tensor([entry['bbox'] for entry in entries]).reshape(-1, 4)
    scores = torch.tensor([entry['score'] for entry in entries])
    labels = torch.tensor([entry['label'] for entry in entries]).long()
    used = sorted({tuple(entry['place']) for entry in entries})
    source = torch.tensor([bisect_left(used, tuple(entry['place'])) for entry in entries]).long()
    sides = [(*columns.windows[column], *rows.windows[row]) for row, column in used]
    places = [(left * ratio, top * ratio, right * ratio, bottom * ratio) for left, right, top, bottom in sides]
    members = group(boxes, scores, labels, source, places, (rows.length * ratio, columns.length * ratio))
    found = []
    for box, (seed, parts) in zip(union(boxes, members).tolist(), members.items()):
        mask = {}
        if 'mask' in entries[seed]:
            mask = _join([(entries[part]['mask'], places[source[part]]) for part in parts])
        found.append(SceneObject(box, int(labels[seed]), float(scores[seed]), **mask))
    return found


def full_masks(objects: Sequence[SceneObject], size: tuple[int, int]) -> list[dict]:
    """Return the masks of objects as COCO's run lengths in an image of a height and a width."""
    from pycocotools.mask import frPyObjects

    codes = []
    for entry in objects:
        code = frPyObjects(dict(counts=_counts(entry, size), size=list(size)), *size)
        codes.append(dict(code, counts=code['counts'].decode()))
    return codes


def _join(parts: Sequence[tuple[dict, Window]]) -> dict:
    """Return the union of masks of windows, and its corner."""
    from pycocotools.mask import decode

    left, top, right, bottom = (
        function(place[side] for _, place in parts) for function, side in ((min, 0), (min, 1), (max, 2), (max, 3))
    )
    mask = np.zeros((bottom - top, right - left), bool)
    for code, place in parts:
        height, width = code['size']
        part = mask[place[1] - top : place[1] - top + height, place[0] - left : place[0] - left + width]
        part |= decode(dict(code, counts=code['counts'].encode())).astype(bool)
    lines, columns = (np.flatnonzero(mask.any(side)) for side in (1, 0))
    if not len(lines):
        return dict(mask=mask[:0, :0], corner=(left, top))
    return dict(
        mask=mask[lines[0] : lines[-1] + 1, columns[0] : columns[-1] + 1].copy(),
        corner=(left + int(columns[0]), top + int(lines[0])),
    )


def _counts(entry: SceneObject, size: tuple[int, int]) -> list[int]:
    """Return lengths of runs of pixels outside and inside of a mask, column by column."""
    columns, lines = np.nonzero(entry.mask.T)
    pixels = (columns + entry.corner[0]) * size[0] + lines + entry.corner[1]
    return list(_runs(pixels, size[0] * size[1]))


def _runs(pixels: np.ndarray, count: int) -> Iterator[int]:
    ends = np.flatnonzero(np.diff(pixels) != 1)
    begins = pixels[np.r_[0, ends + 1]] if len(pixels) else pixels
    stops = pixels[np.r_[ends, len(pixels) - 1]] + 1 if len(pixels) else pixels
    last = 0
    for begin, stop in zip(begins.tolist(), stops.tolist()):
        yield begin - last
        yield stop - begin
        last = stop
    yield count - last
