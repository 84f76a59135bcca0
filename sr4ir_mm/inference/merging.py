"""One list of objects from the lists of overlapping slices."""

from collections.abc import Iterator, Mapping, Sequence

import torch
from mmengine.structures import InstanceData
from torch import Tensor
from torchvision.ops import box_iou

from .slices import Window

#: smallest intersection over union of boxes, inside what two slices have in common, that are one object
SAME = 0.5
#: smallest score of a box that counts, as a share of the highest one of its object
SHARE = 0.5
#: share of a slice's side up to which a box touches its border
RIM = 0.02


def merge(found: Sequence[InstanceData], windows: Sequence[Window], size: tuple[int, int]) -> InstanceData:
    """Merge the objects of slices, so that each comes out once and whole.

    Two slices agree on an object if their boxes of one class, clipped to what the slices have in common, overlap by
    :data:`SAME`: so do the two parts of an object on a seam, and two objects next to each other do not. Boxes are taken
    by their scores, as in non-maximum suppression, and each takes those with it that agree. If a border cuts it, one
    of these that no border cuts replaces it, or else the union with those that borders cut, too. Those of less than
    half its score do not count.

    Args:
        found (Sequence[InstanceData]): Objects of each slice in its own coordinates, with ``bboxes``, ``scores``,
            ``labels``, and maybe ``masks``, N x height x width of the slice.
        windows (Sequence[Window]): Slices in the image.
        size (tuple[int, int]): Height and width of the image.

    Returns:
        InstanceData: The same fields in the coordinates of the image, the highest score first.
    """
    source = torch.cat([torch.full((len(entry),), index) for index, entry in enumerate(found)])
    boxes = torch.cat([box_list(entry) for entry in found]) + torch.tensor(windows)[source][:, [0, 1, 0, 1]]
    scores, labels = (torch.cat([entry[name] for entry in found]) for name in ('scores', 'labels'))
    objects = group(boxes, scores, labels, source, windows, size)
    seeds = torch.tensor(list(objects), dtype=torch.long)
    merged = InstanceData(bboxes=union(boxes, objects), scores=scores[seeds], labels=labels[seeds])
    if 'masks' in found[0]:
        merged.masks = _masks(found, windows, size, list(objects.values()))
    return merged


def group(
    boxes: Tensor, scores: Tensor, labels: Tensor, source: Tensor, windows: Sequence[Window], size: tuple[int, int]
) -> dict[int, list[int]]:
    """Find which boxes of slices are one object, as :func:`merge` says.

    Args:
        boxes (Tensor): Boxes in the coordinates of the image, N x 4.
        scores (Tensor): Their scores, N.
        labels (Tensor): Their labels, N.
        source (Tensor): Index of the slice of each, N, int64.
        windows (Sequence[Window]): Slices in the image.
        size (tuple[int, int]): Height and width of the image.

    Returns:
        dict[int, list[int]]: For each object, the index of its box of the highest score, and the indices of the boxes
        whose union it is.
    """
    places = torch.tensor(windows).float()
    agreeing: list[set[int]] = [set() for _ in boxes]
    for first, second in _pairs(boxes, labels, source, places):
        agreeing[first].add(second)
        agreeing[second].add(first)
    return _objects(scores, _is_cut(boxes, places[source], size).tolist(), agreeing)


def union(boxes: Tensor, objects: Mapping[int, Sequence[int]]) -> Tensor:
    """Return the box of each object that :func:`group` returned, N x 4."""
    unions = [torch.cat([boxes[parts, :2].amin(0), boxes[parts, 2:].amax(0)]) for parts in objects.values()]
    return torch.stack(unions) if unions else boxes


def box_list(entry: InstanceData) -> Tensor:
    """Return the boxes of a slice, N x 4; some networks for masks predict none."""
    boxes = torch.as_tensor(getattr(entry.bboxes, 'tensor', entry.bboxes)).float()
    if 'masks' not in entry or not len(boxes) or boxes.any():
        return boxes
    from mmdet.structures.mask import mask2bbox  # which made the prediction

    return mask2bbox(torch.as_tensor(entry.masks))


def _pairs(boxes: Tensor, labels: Tensor, source: Tensor, windows: Tensor) -> Iterator[list[int]]:
    """Yield the indices of two boxes of two slices that agree."""
    used, counts = source.unique(return_counts=True)
    of_slice = source.argsort(stable=True).split(counts.tolist())
    windows = windows[used]
    for first, second in _neighbors(windows):
        common = torch.cat([windows[[first, second], :2].amax(0), windows[[first, second], 2:].amin(0)])
        rows, columns = of_slice[first], of_slice[second]
        overlap = box_iou(_clip(boxes[rows], common), _clip(boxes[columns], common))  # not a number outside
        row, column = torch.nonzero((overlap >= SAME) & (labels[rows, None] == labels[columns])).T
        yield from torch.stack([rows[row], columns[column]], 1).tolist()


def _neighbors(windows: Tensor) -> Iterator[tuple[int, int]]:
    """Yield the indices of two windows that have pixels in common."""
    for first, window in enumerate(windows):
        later = windows[first + 1 :]
        common = ((later[:, :2] < window[2:]) & (later[:, 2:] > window[:2])).all(1)
        yield from ((first, first + 1 + index) for index in torch.nonzero(common)[:, 0].tolist())


def _clip(boxes: Tensor, window: Tensor) -> Tensor:
    low, high = window[[0, 1, 0, 1]], window[[2, 3, 2, 3]]
    return torch.minimum(torch.maximum(boxes, low), high)


def _is_cut(boxes: Tensor, windows: Tensor, size: tuple[int, int]) -> Tensor:
    """Return which boxes end at a border of their slice that is inside the image."""
    rim = RIM * (windows[:, 2:] - windows[:, :2])
    before = (windows[:, :2] > 0) & (boxes[:, :2] - windows[:, :2] < rim)
    after = (windows[:, 2:] < windows.new_tensor(size[::-1])) & (windows[:, 2:] - boxes[:, 2:] < rim)
    return (before | after).any(1)


def _objects(scores: Tensor, cut: list[bool], agreeing: Sequence[set[int]]) -> dict[int, list[int]]:
    """Return for each object its box of the highest score, and the boxes whose union it is."""
    free, objects = set(range(len(cut))), {}
    values = scores.tolist()
    for seed in scores.argsort(descending=True).tolist():
        if seed not in free:
            continue
        free.remove(seed)
        parts, wholes = [seed], []
        for part in parts:
            for other in sorted(agreeing[part] & free):
                free.remove(other)
                if cut[seed] and values[other] >= SHARE * values[seed]:
                    (parts if cut[other] else wholes).append(other)
        if wholes:
            parts = [max(wholes, key=values.__getitem__)]
            free -= agreeing[parts[0]]
        objects[seed] = parts
    return objects


def _masks(
    found: Sequence[InstanceData], windows: Sequence[Window], size: tuple[int, int], members: Sequence[Sequence[int]]
) -> Tensor:
    """Return the masks of the objects, N x height x width of the image: those of all members of an object."""
    masks = torch.zeros(len(members), *size, dtype=torch.bool)
    places = [(index, row) for index, entry in enumerate(found) for row in range(len(entry))]
    for mask, group in zip(masks, members):
        for index, row in (places[member] for member in group):
            left, top, right, bottom = windows[index]
            mask[top:bottom, left:right] |= torch.as_tensor(found[index].masks[row])
    return masks
