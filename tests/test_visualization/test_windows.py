"""The windows in which two predictions differ."""

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from sr4ir_mm.visualization.windows import changed_pixels, labeled_pixels, top_windows


def picture(*boxes: tuple[int, int, int, int], color: int = 200) -> np.ndarray:
    picture = np.full((60, 90, 3), 128, np.uint8)
    for top, left, bottom, right in boxes:
        picture[top:bottom, left:right] = color
    return picture


def test_a_border_that_moved_a_little_is_not_a_change():
    assert not changed_pixels(picture((10, 10, 40, 40)), picture((12, 9, 43, 38))).any()
    assert not changed_pixels(picture(), picture(color=130)).any()


@pytest.mark.parametrize('swap', [False, True])
def test_what_is_new_is_a_change(swap):
    pictures = [picture((10, 10, 40, 40)), picture((10, 10, 40, 40), (5, 60, 20, 75))]
    changed = changed_pixels(*reversed(pictures) if swap else pictures)
    rows, columns = np.nonzero(changed)
    assert set(np.unique(changed)) == {0, 1} and changed.shape == (60, 90)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (5, 19, 60, 74)


def test_labeled_pixels():
    truth = torch.tensor([[[0, 1], [2, 255]]])
    sample = SegDataSample(gt_sem_seg=PixelData(data=truth))
    assert labeled_pixels(sample, (2, 2), ['a', 'b']).tolist() == [[1, 1], [0, 0]]
    assert labeled_pixels(sample, (2, 2)).tolist() == [[1, 1], [1, 0]]
    assert labeled_pixels(sample, (4, 6))[:, ::3].tolist() == [[1, 1], [1, 1], [1, 0], [1, 0]]  # of an LR data set
    assert labeled_pixels(SegDataSample(), (2, 3)).tolist() == [[1, 1, 1]] * 2


def test_top_windows():
    weights = np.zeros((60, 90), np.float32)
    weights[2:6, 80:88] = 0.5  # smaller, in a corner
    weights[30:50, 10:40] = 1
    (rows, columns), second = top_windows(weights, 2)
    assert weights[rows, columns].mean() > 0.9 and weights[rows, columns].shape == (20, 30)
    assert weights[second].sum() == 16
    assert len(top_windows(weights, 9)) == 2  # nothing else has changed
    assert len(top_windows(weights, 1)) == 1 and top_windows(weights, 0) == []


def test_a_change_is_in_the_middle_of_its_window():
    weights = np.zeros((60, 90), np.float32)
    weights[25:29, 44:50] = 1
    ((rows, columns),) = top_windows(weights, 1)
    assert abs(rows.start + rows.stop - 54) <= 2 and abs(columns.start + columns.stop - 94) <= 2


@pytest.mark.parametrize('size', [(1, 1), (2, 7), (3, 2)])
def test_images_smaller_than_a_window(size):
    ((rows, columns),) = top_windows(np.ones(size, np.float32), 1)
    assert np.ones(size)[rows, columns].shape == tuple(max(1, side // 3) for side in size)


def test_tiny_changes_are_left_out():
    weights = np.zeros((300, 300), np.float32)
    weights[0, :19] = 1
    assert top_windows(weights, 1) == []
    weights[1, :19] = 1
    assert len(top_windows(weights, 1)) == 1
