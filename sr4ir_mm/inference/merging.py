"""One list of objects from the lists of overlapping slices."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from mmengine.structures import InstanceData
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from torch import Tensor
from torchvision.ops import box_iou

from .slices import Window

#: smallest intersection over union of boxes, inside what two slices have in common, that are one object
SAME = 0.5
#: smallest share of a cut box inside a whole one of which it is a part
PART = 0.7
#: share of a slice's side up to which a box touches its border
RIM = 0.02


def merge(found: Sequence[InstanceData], windows: Sequence[Window], size: tuple[int, int]) -> InstanceData:
    """Merge the objects of slices, so that each comes out once and whole.

    Two slices agree on an object if their boxes of one class, clipped to what the slices have in common, overlap by
    :data:`SAME`: so do the two parts of an object on a seam, and two objects next to each other do not. Of all boxes of
    an object the one of the highest score counts that no border cuts. If borders cut all, it is their union. A cut box
    inside a whole one of a higher score is a part of it, and left out.

    Args:
        found (Sequence[InstanceData]): Objects of each slice in its own coordinates, with ``bboxes``, ``scores``,
            ``labels``, and maybe ``masks``, N x height x width of the slice.
        windows (Sequence[Window]): Slices in the image.
        size (tuple[int, int]): Height and width of the image.

    Returns:
        InstanceData: The same fields in the coordinates of the image, the highest score first.
    """
    places = torch.tensor(windows).float()
    source = torch.cat([torch.full((len(entry),), index) for index, entry in enumerate(found)])
    boxes = torch.cat([_boxes(entry) for entry in found]) + places[source][:, [0, 1, 0, 1]]
    scores, labels = (torch.cat([entry[name] for entry in found]) for name in ('scores', 'labels'))
    groups = _groups(boxes, labels, source, places)
    cut = _is_cut(boxes, places[source], size)
    best = _best(groups, cut, scores)
    union = [_extreme(groups, boxes[:, side], len(best), how) for side, how in enumerate(('amin',) * 2 + ('amax',) * 2)]
    boxes = torch.where(cut[best, None], torch.stack(union, 1), boxes[best])
    scores, labels = _extreme(groups, scores, len(best), 'amax'), labels[best]
    kept = torch.nonzero(~_is_part(boxes, labels, scores, cut[best]))[:, 0]
    kept = kept[scores[kept].argsort(descending=True)]
    merged = InstanceData(bboxes=boxes[kept], scores=scores[kept], labels=labels[kept])
    if 'masks' in found[0]:
        cut = cut[best]
        members = [torch.nonzero(groups == index)[:, 0] if cut[index] else best[index, None] for index in kept]
        merged.masks = _masks(found, windows, size, members)
    return merged


def _boxes(entry: InstanceData) -> Tensor:
    """Return the boxes of a slice; some networks for masks predict none."""
    boxes = torch.as_tensor(getattr(entry.bboxes, 'tensor', entry.bboxes)).float()
    if 'masks' not in entry or not len(boxes) or boxes.any():
        return boxes
    from mmdet.structures.mask import mask2bbox  # which made the prediction

    return mask2bbox(torch.as_tensor(entry.masks))


def _groups(boxes: Tensor, labels: Tensor, source: Tensor, windows: Tensor) -> Tensor:
    """Number the objects, and return the number of each box."""
    if not len(boxes):
        return source
    pairs = [torch.zeros(0, 2, dtype=torch.long), *_pairs(boxes, labels, source, windows)]
    rows, columns = torch.cat(pairs).numpy().T
    edges = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(boxes),) * 2)
    return torch.from_numpy(connected_components(edges, directed=False)[1]).long()


def _pairs(boxes: Tensor, labels: Tensor, source: Tensor, windows: Tensor) -> Iterator[Tensor]:
    """Yield the indices of boxes of two slices that agree, M x 2."""
    of_slice = [torch.nonzero(source == index)[:, 0] for index in range(len(windows))]
    for first, second in torch.nonzero(torch.triu(box_iou(windows, windows), 1)).tolist():
        common = torch.cat([windows[[first, second], :2].amax(0), windows[[first, second], 2:].amin(0)])
        rows, columns = of_slice[first], of_slice[second]
        overlap = box_iou(_clip(boxes[rows], common), _clip(boxes[columns], common))  # not a number outside
        row, column = torch.nonzero((overlap >= SAME) & (labels[rows, None] == labels[columns])).T
        yield torch.stack([rows[row], columns[column]], 1)


def _clip(boxes: Tensor, window: Tensor) -> Tensor:
    low, high = window[[0, 1, 0, 1]], window[[2, 3, 2, 3]]
    return torch.minimum(torch.maximum(boxes, low), high)


def _is_cut(boxes: Tensor, windows: Tensor, size: tuple[int, int]) -> Tensor:
    """Return which boxes end at a border of their slice that is inside the image."""
    rim = RIM * (windows[:, 2:] - windows[:, :2])
    before = (windows[:, :2] > 0) & (boxes[:, :2] - windows[:, :2] < rim)
    after = (windows[:, 2:] < windows.new_tensor(size[::-1])) & (windows[:, 2:] - boxes[:, 2:] < rim)
    return (before | after).any(1)


def _best(groups: Tensor, cut: Tensor, scores: Tensor) -> Tensor:
    """Return for each object the index of its best box: one that is not cut, of the highest score."""
    order = np.lexsort((-scores.numpy(), cut.numpy(), groups.numpy()))
    return torch.from_numpy(order[np.unique(groups.numpy()[order], return_index=True)[1]])


def _extreme(groups: Tensor, values: Tensor, count: int, how: str) -> Tensor:
    return values.new_zeros(count).scatter_reduce(0, groups, values, how, include_self=False)


def _is_part(boxes: Tensor, labels: Tensor, scores: Tensor, cut: Tensor) -> Tensor:
    """Return which cut boxes lie inside a whole one of their class that has a higher score."""
    found = torch.zeros_like(cut)
    for label in labels[cut].unique():
        parts, wholes = (torch.nonzero((labels == label) & chosen)[:, 0] for chosen in (cut, ~cut))
        low = torch.maximum(boxes[parts, None, :2], boxes[wholes, :2])
        high = torch.minimum(boxes[parts, None, 2:], boxes[wholes, 2:])
        area = (boxes[parts, 2:] - boxes[parts, :2]).prod(1)
        inside = (high - low).clamp(min=0).prod(2) >= PART * area[:, None].clamp(min=1e-6)
        found[parts] = (inside & (scores[parts, None] < scores[wholes])).any(1)
    return found


def _masks(
    found: Sequence[InstanceData], windows: Sequence[Window], size: tuple[int, int], members: Sequence[Tensor]
) -> Tensor:
    """Return the masks of the objects, N x height x width of the image: those of all members of an object."""
    masks = torch.zeros(len(members), *size, dtype=torch.bool)
    places = [(index, row) for index, entry in enumerate(found) for row in range(len(entry))]
    for mask, group in zip(masks, members):
        for index, row in (places[member] for member in group.tolist()):
            left, top, right, bottom = windows[index]
            mask[top:bottom, left:right] |= torch.as_tensor(found[index].masks[row])
    return masks
