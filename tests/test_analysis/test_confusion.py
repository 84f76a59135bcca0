"""The confusion matrix of classifiers and segmentors, on predictions that are known."""

import numpy as np
import torch
from mmengine.structures import BaseDataElement, PixelData

from sr4ir_mm.analysis import ConfusionMatrix


def image(true: int | list[int], found: int) -> BaseDataElement:
    sample = BaseDataElement()
    sample.set_data(dict(gt_label=torch.tensor(true).reshape(-1), pred_label=torch.tensor([found])))
    return sample


def pixels(true: list[list[int]], found: list[list[int]]) -> BaseDataElement:
    sample = BaseDataElement()
    fields = dict(gt_sem_seg=true, pred_sem_seg=found)
    sample.set_data({name: PixelData(data=torch.tensor([value])) for name, value in fields.items()})
    return sample


def test_images():
    matrix = ConfusionMatrix('ab')
    matrix.add([image(0, 0), image(0, 1)])
    matrix.add([image(1, 1), image(0, 1)])
    assert matrix.counts.tolist() == [[1, 2], [0, 1]] and matrix.images == 4


def test_pixels_of_no_class_do_not_count():
    matrix = ConfusionMatrix('abc')
    matrix.add([pixels([[0, 1], [255, 2]], [[0, 2], [1, 2]])])
    assert matrix.counts.tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 1]] and matrix.images == 1


def test_what_has_no_matrix():
    matrix = ConfusionMatrix('ab')
    matrix.add([BaseDataElement(), image([0, 1], 1), pixels([[0, 1]], [[0]])])  # boxes, several labels, other sizes
    assert matrix.images == 0 and not matrix.counts.any()


def test_the_picture_has_shares_of_each_true_class():
    matrix = ConfusionMatrix('abc')
    matrix.counts[:] = [[3, 1, 0], [0, 0, 0], [0, 2, 2]]
    matrix.images = 8
    ax = matrix.draw().axes[0]
    texts = [(text.get_position(), text.get_text()) for text in ax.texts]
    assert dict(texts) == {(0, 0): '75', (1, 0): '25', (2, 0): '0', (0, 2): '0', (1, 2): '50', (2, 2): '50'}
    assert ax.get_title() == '8 images; the mean of the diagonal is 62.5 %'  # as mAcc
    assert [label.get_text() for label in ax.get_yticklabels()] == ['a', 'b', 'c']


def test_many_classes_have_no_numbers():
    matrix = ConfusionMatrix([str(i) for i in range(100)])
    matrix.counts[:] = np.eye(100)
    ax = matrix.draw().axes[0]
    assert not ax.texts
    assert not any(label.get_text() == '99' for label in ax.get_yticklabels())
