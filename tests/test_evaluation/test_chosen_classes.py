"""Metrics of some classes are the means of the values that these classes have among all."""

import json

import numpy as np
import pytest
import torch
from mmdet.evaluation import CocoMetric, VOCMetric
from mmdet.structures import DetDataSample
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData, PixelData
from mmpretrain.evaluation import Accuracy, SingleLabelMetric
from mmpretrain.structures import DataSample
from mmseg.evaluation import IoUMetric
from mmseg.structures import SegDataSample

from sr4ir_mm.datasets.selection import Selection
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.evaluation.chosen_classes import restrict_evaluator

NAMES = ('a', 'b', 'c')
SIZE = (60, 80)


def measure(metric, samples: list, labels: list[int] | None = None) -> dict:
    evaluator = Evaluator(metric)
    evaluator.dataset_meta = dict(classes=NAMES)
    if labels is not None:
        restrict_evaluator(evaluator, labels)
        for sample in samples:
            Selection(labels)(sample)
    evaluator.process(data_samples=samples, data_batch=None)
    return evaluator.evaluate(len(samples))


def maps() -> list[SegDataSample]:
    rng = torch.Generator().manual_seed(0)
    fields = torch.randint(0, 3, (2, 2, 1, *SIZE), generator=rng)
    fields[0, 0, 0, :5] = 255
    return [SegDataSample(gt_sem_seg=PixelData(data=gt), pred_sem_seg=PixelData(data=pred)) for gt, pred in fields]


def test_overlap():
    samples, labels = maps(), [0, 2]
    truth, found = (torch.cat([sample.get(name).data for sample in samples]) for name in ('gt_sem_seg', 'pred_sem_seg'))
    found[truth == 255] = 255
    overlaps = [((truth == i) & (found == i)).sum() / ((truth == i) | (found == i)).sum() for i in labels]
    result = measure(IoUMetric(), samples, labels)
    assert result['mIoU'] == pytest.approx(100 * float(np.mean(overlaps)), abs=0.006)
    assert result['mIoU'] != measure(IoUMetric(), maps())['mIoU']
    assert set(samples[0].gt_sem_seg.data.unique().tolist()) == {0, 2, 255}  # what a panel shows


def boxes(seed: int, count: int) -> InstanceData:
    rng = np.random.default_rng(seed)
    corner = rng.integers(0, 30, (count, 2))
    found = torch.from_numpy(np.hstack([corner, corner + rng.integers(10, 30, (count, 2))])).float()
    return InstanceData(bboxes=found, labels=torch.arange(count) % 3, scores=torch.from_numpy(rng.random(count)))


def detections() -> list[DetDataSample]:
    samples = []
    for i in range(3):
        truth = boxes(i, 6)
        found = truth.new()
        found.bboxes = truth.bboxes + torch.from_numpy(np.random.default_rng(9 + i).integers(-9, 9, (6, 4)))
        instances = [
            dict(bbox=box.tolist(), bbox_label=int(label), ignore_flag=0)
            for box, label in zip(truth.bboxes, truth.labels)
        ]
        samples.append(
            DetDataSample(
                metainfo=dict(img_id=i, ori_shape=SIZE, instances=instances), gt_instances=truth, pred_instances=found,
                ignored_instances=boxes(i, 0),
            )
        )  # fmt: skip
    return samples


def test_voc():
    whole, parts = measure(VOCMetric(), detections())['pascal_voc/mAP'], []
    for i in range(3):
        parts.append(measure(VOCMetric(), detections(), [i])['pascal_voc/mAP'])
    assert np.mean(parts) == pytest.approx(whole) and len(set(parts)) > 1
    assert measure(VOCMetric(), detections(), [0, 2])['pascal_voc/mAP'] == pytest.approx(np.mean(parts[::2]))


def coco_file(folder) -> str:
    """The ground truth as a file, whose categories have other numbers than the labels."""
    annotations = []
    for sample in detections():
        for entry in sample.instances:
            x1, y1, x2, y2 = entry['bbox']
            annotations.append(
                dict(id=len(annotations) + 1, image_id=sample.img_id, category_id=7 + entry['bbox_label'], iscrowd=0,
                     bbox=[x1, y1, x2 - x1, y2 - y1], area=(x2 - x1) * (y2 - y1))
            )  # fmt: skip
    images = [dict(id=i, height=SIZE[0], width=SIZE[1], file_name=f'{i}.jpg') for i in range(3)]
    categories = [dict(id=7 + i, name=name) for i, name in enumerate(NAMES)]
    path = folder / 'truth.json'
    path.write_text(json.dumps(dict(images=images, annotations=annotations, categories=categories)))
    return str(path)


@pytest.mark.parametrize('has_file', [True, False])
def test_coco(has_file, tmp_path):
    def result(labels: list[int] | None = None) -> dict:
        metric = CocoMetric(ann_file=coco_file(tmp_path) if has_file else None, classwise=True)
        return measure(metric, detections(), labels)

    whole = result()
    for i, name in enumerate(NAMES):
        assert result([i])['coco/bbox_mAP'] == pytest.approx(whole[f'coco/{name}_precision'], abs=0.002)
    some = np.mean([whole[f'coco/{name}_precision'] for name in 'ac'])
    assert result([0, 2])['coco/bbox_mAP'] == pytest.approx(some, abs=0.002)


def images() -> list[DataSample]:
    scores = [[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.2, 0.3, 0.5], [0.5, 0.2, 0.3]]
    labels = [0, 1, 1, 2]
    return [
        DataSample().set_gt_label(label).set_pred_score(torch.tensor(score)).set_pred_label(int(np.argmax(score)))
        for label, score in zip(labels, scores)
    ]


def test_accuracy_is_that_of_the_images_of_the_classes():
    assert measure(Accuracy(), images())['accuracy/top1'] == 25
    # of the three images of b and c, c is found in the last one, and b in the first one
    assert measure(Accuracy(), images(), [1, 2])['accuracy/top1'] == pytest.approx(200 / 3)


def test_metrics_without_such_a_mean():
    with pytest.raises(SR4IRError, match='SingleLabelMetric cannot be computed for some of the classes; use one of Io'):
        measure(SingleLabelMetric(), images(), [1])
