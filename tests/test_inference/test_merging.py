"""An object that slices cut comes out once and whole, and neighbors stay two, whatever the noise of the boxes."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from torchvision.ops import box_iou

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.inference.merging import merge
from sr4ir_mm.inference.slices import Slices

SIZE = (240, 320)


def instances(boxes, scores=None, labels=None, **fields) -> InstanceData:
    boxes = torch.as_tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    scores = torch.linspace(0.9, 0.5, len(boxes)) if scores is None else torch.tensor(scores)
    labels = torch.zeros(len(boxes), dtype=torch.long) if labels is None else torch.tensor(labels)
    return InstanceData(bboxes=boxes, scores=scores, labels=labels, **fields)


def scattered(rng: np.random.Generator, count: int, largest: int) -> torch.Tensor:
    """Boxes that do not overlap."""
    boxes: list[list[int]] = []
    while len(boxes) < count:
        width, height = rng.integers(6, largest, 2)
        left, top = rng.integers(0, SIZE[1] - width), rng.integers(0, SIZE[0] - height)
        box = [left, top, left + width, top + height]
        grown = torch.tensor([[left - 2, top - 2, left + width + 2, top + height + 2]])
        if not boxes or box_iou(grown.float(), torch.tensor(boxes).float()).max() == 0:
            boxes.append(box)
    return torch.tensor(boxes).float()


def seen(boxes: torch.Tensor, window: tuple, rng: np.random.Generator, noise: float) -> InstanceData:
    """What a perfect detector finds in a slice: boxes that end at its borders, with noise and any scores."""
    left, top, right, bottom = window
    low = torch.maximum(boxes[:, :2], torch.tensor([left, top]))
    high = torch.minimum(boxes[:, 2:], torch.tensor([right, bottom]))
    found = torch.cat([low, high], 1)[(high - low).amin(1) >= 3]
    found = found + torch.from_numpy(rng.uniform(-noise, noise, found.shape)).float()
    found = found - torch.tensor([left, top, left, top])
    return instances(found, rng.uniform(0.5, 1, len(found)).tolist())


@pytest.mark.parametrize('whole', [False, True])
@pytest.mark.parametrize(('largest', 'noise'), [(24, 0.0), (24, 0.5), (90, 0.5)])
@pytest.mark.parametrize('seed', range(4))
def test_each_object_once_and_whole(whole, largest, noise, seed):
    """Also those that are larger than what slices have in common, and than slices."""
    rng = np.random.default_rng(seed)
    boxes = scattered(rng, 25 if largest < 50 else 8, largest)
    windows = Slices(80, 0.2).windows(SIZE, 4)
    windows = [(0, 0, *SIZE[::-1]), *windows] if whole else windows
    merged = merge([seen(boxes, window, rng, noise) for window in windows], windows, SIZE)
    overlaps = box_iou(merged.bboxes, boxes)
    assert len(merged) == len(boxes)
    assert sorted(overlaps.argmax(1).tolist()) == list(range(len(boxes)))
    assert overlaps.amax(1).min() > (0.999 if noise == 0 else 0.7)
    assert (merged.scores.diff() <= 0).all()


def test_objects_in_one_slice_and_in_front_of_each_other_stay():
    """A child in front of an adult: all of its box lies inside another one of its class, in other slices too."""
    windows = [(0, 0, 80, 240), (60, 0, 140, 240)]
    adult, child = [50, 20, 100, 200], [62, 150, 78, 190]
    first = instances([[50, 20, 80, 200], child])
    second = instances([[0, 20, 40, 200], [2, 150, 18, 190]])
    merged = merge([first, second], windows, (240, 140))
    assert merged.bboxes.tolist() == [adult, child]


def test_classes_are_not_mixed():
    windows = [(0, 0, 80, 80), (60, 0, 140, 80)]
    first, second = instances([[62, 10, 76, 30]], labels=[0]), instances([[2, 10, 16, 30]], labels=[1])
    merged = merge([first, second], windows, (80, 140))
    assert sorted(merged.labels.tolist()) == [0, 1] and merged.bboxes.tolist() == [[62, 10, 76, 30]] * 2


def test_a_row_of_overlapping_objects_stays():
    """Each overlaps the next one by half, and one that is not sure of itself lies between two."""
    windows = [(0, 0, 80, 80), (20, 0, 100, 80)]
    boxes = [[left, 20, left + 20, 40] for left in (30, 42, 54)]
    shifted = [[left - 20 + 5, 20, left - 20 + 25, 40] for left in (30, 42)]
    merged = merge([instances(boxes, [0.9, 0.8, 0.7]), instances(shifted, [0.3, 0.2])], windows, (80, 100))
    assert merged.bboxes.tolist() == boxes


@pytest.mark.parametrize(('score', 'right'), [(0.8, 90), (0.3, 80)])
def test_a_box_of_a_low_score_makes_no_object_larger(score, right):
    windows = [(0, 0, 80, 80), (60, 0, 140, 80)]
    merged = merge([instances([[30, 10, 80, 60]], [0.9]), instances([[0, 10, 30, 60]], [score])], windows, (80, 140))
    assert merged.bboxes.tolist() == [[30, 10, right, 60]]


def test_masks_are_joined():
    windows = [(0, 0, 8, 6), (5, 0, 13, 6)]
    whole = torch.zeros(6, 13, dtype=torch.bool)
    whole[1:5, 2:12] = True
    whole[2:4, 6] = False  # a hole that both slices show
    found = [
        instances([[2, 1, 8, 5]], masks=whole[None, :, :8]),
        instances([[0, 1, 7, 5]], masks=whole[None, :, 5:]),
    ]
    merged = merge(found, windows, (6, 13))
    assert merged.bboxes.tolist() == [[2, 1, 12, 5]] and torch.equal(merged.masks[0], whole)


def test_networks_that_predict_masks_without_boxes():
    masks = torch.zeros(1, 8, 8, dtype=torch.bool)
    masks[0, 2:5, 1:7] = True
    found = [instances([[0, 0, 0, 0]], masks=masks), instances([], masks=torch.zeros(0, 8, 8, dtype=torch.bool))]
    merged = merge(found, [(0, 0, 8, 8), (5, 0, 13, 8)], (8, 13))
    assert merged.bboxes.tolist() == [[1, 2, 7, 5]] and merged.masks.sum() == 18 and merged.masks.shape == (1, 8, 13)


def test_nothing_found():
    empty = instances([], masks=torch.zeros(0, 8, 8, dtype=torch.bool))
    merged = merge([empty, empty], [(0, 0, 8, 8), (5, 0, 13, 8)], (8, 13))
    assert merged.bboxes.shape == (0, 4) and merged.masks.shape == (0, 8, 13)


@pytest.mark.parametrize('length', [32, 33, 64, 97, 640])
@pytest.mark.parametrize(('size', 'overlap', 'scale'), [(32, 0.2, 4), (33, 0.5, 3), (40, 0.0, 8), (64, 0.9, 1)])
def test_slices_cover_the_image(length, size, overlap, scale):
    windows = Slices(size, overlap).windows((length, 16), scale)
    tops, bottoms = ([window[side] for window in windows] for side in (1, 3))
    assert tops[0] == 0 and bottoms[-1] == length and len(set(tops)) == len(tops)
    assert all(top % scale == 0 and bottom - top <= size for top, bottom in zip(tops, bottoms))
    common = [before - after for before, after in zip(bottoms, tops[1:])]
    assert min(common, default=size) >= int(size // scale * scale * overlap)
    assert {(window[0], window[2]) for window in windows} == {(0, 16)}


@pytest.mark.parametrize('problem', [dict(size=0), dict(size=31), dict(size=64.5), dict(size=64, overlap=1.0)])
def test_wrong_numbers(problem):
    with pytest.raises(SR4IRError, match=r'slice_(size|overlap)='):
        Slices(**problem)
