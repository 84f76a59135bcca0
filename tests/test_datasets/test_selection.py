"""Predictions of chosen classes and of high scores, for data samples of all three zoos."""

import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData, PixelData
from mmpretrain.structures import DataSample
from mmseg.structures import SegDataSample

from sr4ir_mm.datasets.selection import UNLABELED, Selection, find_labels, keep_classes
from sr4ir_mm.errors import SR4IRError

NAMES = ('cat', 'dog', '7', 'traffic light')


@pytest.mark.parametrize(
    ('classes', 'labels'),
    [
        (['dog'], [1]),
        (['traffic light', 'cat', 'cat'], [0, 3]),
        ([3, '1'], [1, 3]),
        ('dog', [1]),
        (0, [0]),
        (['7'], [2]),
    ],
)
def test_labels(classes, labels):
    assert find_labels(classes, NAMES) == labels


@pytest.mark.parametrize(
    ('classes', 'message'),
    [
        (['Dog'], r"Unknown class 'Dog' \(nearest: 'dog'\); the classes are cat, dog, 7, traffic light"),
        (['trafic light'], "nearest: 'traffic light'"),
        ([4], 'class 4 is unknown: the 4 classes are numbered 0 to 3'),
        (['-1'], "Unknown class '-1'"),
        ([], '--classes is empty'),
    ],
)
def test_unknown_classes(classes, message):
    with pytest.raises(SR4IRError, match=message):
        find_labels(classes, NAMES)


def test_a_data_set_without_names():
    assert find_labels([17], ()) == [17]
    with pytest.raises(SR4IRError, match="Unknown class 'cat': the data set has no names"):
        find_labels(['cat'], ())


def objects(*labels: int) -> InstanceData:
    count = len(labels)
    return InstanceData(
        bboxes=torch.rand(count, 4), labels=torch.tensor(labels), scores=torch.linspace(0.9, 0.3, count),
        masks=torch.zeros(count, 4, 4, dtype=torch.bool),
    )  # fmt: skip


def test_objects():
    sample = DetDataSample(pred_instances=objects(1, 0, 1, 3))
    Selection([1, 3], 0.5)(sample)
    assert sample.pred_instances.labels.tolist() == [1, 1]
    assert sample.pred_instances.scores.tolist() == pytest.approx([0.9, 0.5]) and len(sample.pred_instances.masks) == 2
    Selection([2])(sample)
    assert len(sample.pred_instances) == 0


def test_ground_truth():
    truth = DetDataSample(gt_instances=objects(1, 0), ignored_instances=objects(0), pred_instances=objects(0))
    assert keep_classes(truth, 'gt', [1])
    assert [len(truth.get(f'{name}_instances')) for name in ('gt', 'ignored', 'pred')] == [1, 0, 1]


def test_maps():
    found = torch.tensor([[[0, 1, 2, 3]]])
    sample = SegDataSample(pred_sem_seg=PixelData(data=found.clone()), gt_sem_seg=PixelData(data=found.clone()))
    Selection([1, 2])(sample)
    assert sample.pred_sem_seg.data.tolist() == [[[UNLABELED, 1, 2, UNLABELED]]]
    assert torch.equal(sample.gt_sem_seg.data, found)


def test_the_best_of_the_chosen_classes_of_an_image():
    sample = DataSample().set_pred_score(torch.tensor([0.5, 0.1, 0.3, 0.1])).set_pred_label(0)
    Selection([1, 2])(sample)
    assert sample.pred_label.tolist() == [2] and sample.pred_score.tolist() == pytest.approx([0, 0.1, 0.3, 0])


def test_several_classes_of_an_image():
    sample = DataSample().set_pred_score(torch.tensor([0.9, 0.8, 0.1, 0.7])).set_pred_label([0, 1, 3])
    Selection([1, 2])(sample)
    assert sample.pred_label.tolist() == [1]


def test_what_has_no_classes_or_scores():
    depth = SegDataSample(pred_depth_map=PixelData(data=torch.zeros(1, 2, 2)))
    with pytest.raises(SR4IRError, match='--classes chooses from objects, maps of classes and classes of images'):
        Selection([0])(depth)
    with pytest.raises(SR4IRError, match='--score-thr is for objects, and this task network predicts none'):
        Selection(score_thr=0.5)(depth)
