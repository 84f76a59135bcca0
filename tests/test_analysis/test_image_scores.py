"""Metrics of resampled images: equal to COCO's evaluation of repeated images, and intervals of a known size."""

import contextlib
import io
import time

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from sr4ir_mm.analysis.image_scores import score
from sr4ir_mm.analysis.image_tables import ImageTable
from sr4ir_mm.errors import SR4IRError

CLASSES = 3


def pictures(number: int, seed: int = 0) -> list[dict]:
    """Objects and detections of images; some objects are crowds, scores of images are equal, a class is rare."""
    rng = np.random.default_rng(seed)
    found = []
    for i in range(number):
        labels = rng.choice(CLASSES, rng.integers(0, 5), p=[0.6, 0.35, 0.05])
        corners = rng.uniform(0, 60, (len(labels), 2))
        boxes = np.hstack([corners, rng.uniform(8, 40, (len(labels), 2))])
        shifted = np.vstack([boxes + rng.normal(0, 2, boxes.shape), boxes + rng.normal(0, 8, boxes.shape)])
        shifted[:, 2:] = np.maximum(shifted[:, 2:], 1)
        kinds = np.concatenate([labels, rng.choice(CLASSES, len(labels))])
        scores = rng.choice(20, len(kinds), replace=False) / 20
        crowds = rng.random(len(labels)) < 0.1
        found.append(dict(name=f'{i:03}', boxes=boxes, labels=labels, crowds=crowds,
                          detections=list(zip(shifted, kinds, scores))))  # fmt: skip
    return found


def coco_eval(images: list[dict], limit: int = 100) -> COCOeval:
    """COCO's own evaluation."""
    annotations, results = [], []
    for i, image in enumerate(images):
        for box, label, crowd in zip(image['boxes'], image['labels'], image['crowds']):
            annotations.append(dict(id=len(annotations) + 1, image_id=i, category_id=int(label), bbox=box.tolist(),
                                    area=float(box[2] * box[3]), iscrowd=int(crowd)))  # fmt: skip
        results += [dict(image_id=i, category_id=int(label), bbox=box.tolist(), score=float(value))
                    for box, label, value in image['detections']]  # fmt: skip
    truth = COCO()
    truth.dataset = dict(
        images=[dict(id=i) for i in range(len(images))], annotations=annotations,
        categories=[dict(id=i, name=str(i)) for i in range(CLASSES)], info={},
    )  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(results), 'bbox')
        evaluation.params.maxDets = [1, 10, limit]
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def table_of(images: list[dict]) -> ImageTable:
    """The table that a test would write."""
    from sr4ir_mm.evaluation.image_results import _tables

    evaluation = coco_eval(images)
    evaluation.evalImgs = [e for e in evaluation.evalImgs if e is None or e['aRng'] == evaluation.params.areaRng[0]]
    arrays = _tables(evaluation, {i: i for i in range(len(images))}, {i: i for i in range(CLASSES)})
    names = [image['name'] for image in images]
    return ImageTable(names, list('abc'), {f'coco/bbox_mAP.{key}': value for key, value in arrays.items()})


def test_average_precision_is_that_of_coco():
    images = pictures(60)
    table = table_of(images)
    assert table.arrays['coco/bbox_mAP.ignored'].any()  # detections of crowds
    (value,) = score(table, 'coco/bbox_mAP', np.ones((1, 60), int))
    assert value == pytest.approx(coco_eval(images).stats[0], abs=1e-12) and 0.1 < value < 0.9


@pytest.mark.parametrize('seed', range(4))
def test_a_weight_is_a_number_of_equal_images(seed):
    images = pictures(20, seed)
    weights = np.random.default_rng(seed).multinomial(20, [1 / 20] * 20, 3)
    values = score(table_of(images), 'coco/bbox_mAP', weights)
    for value, times in zip(values, weights):
        repeated = [image for image, number in zip(images, times) for _ in range(number)]
        assert value == pytest.approx(coco_eval(repeated).stats[0], abs=1e-12)


def test_a_class_without_objects_in_the_resample_does_not_count():
    images = pictures(30, 1)
    rare = [i for i, image in enumerate(images) if 2 in image['labels']]
    weights = np.ones((2, 30), int)
    weights[1, rare] = 0
    assert rare and all(np.isfinite(score(table_of(images), 'coco/bbox_mAP', weights)))
    assert np.isnan(score(table_of(images), 'coco/bbox_mAP', np.zeros((1, 30), int)))


def test_mean_iou_skips_classes_that_do_not_occur():
    arrays = {'mIoU.intersection': np.array([[2, 0, 0], [1, 3, 0]]), 'mIoU.union': np.array([[4, 0, 0], [4, 4, 0]])}
    table = ImageTable(['a', 'b'], list('xyz'), arrays)
    values = score(table, 'mIoU', np.array([[1, 1], [1, 0], [0, 2]]))
    assert values.tolist() == [100 * (3 / 8 + 3 / 4) / 2, 50, 100 * (1 / 4 + 3 / 4) / 2]


def test_psnr_leaves_equal_images_out():
    table = ImageTable(list('abc'), [], {'sr/PSNR.value': np.array([20, np.inf, 26])})
    assert score(table, 'sr/PSNR', np.array([[1, 1, 1], [2, 5, 0]])).tolist() == [23, 20]
    equal = ImageTable(list('ab'), [], {'sr/PSNR.value': np.array([np.inf, np.inf])})
    assert score(equal, 'sr/PSNR', np.ones((1, 2), int)).tolist() == [np.inf]


def test_an_unknown_metric():
    with pytest.raises(SR4IRError, match="no 'f1': they are there for top-1 accuracy"):
        score(ImageTable(['a'], [], {}), 'f1', np.ones((1, 1), int))


def test_speed():
    """As many detections as 364 images have at most: 2,000 resamples take seconds."""
    rng = np.random.default_rng(0)
    number = 18_000
    arrays = dict(image=rng.integers(0, 364, number), label=rng.integers(0, 3, number), score=rng.random(number),
                  matched=rng.random((number, 10)) < 0.1, ignored=np.zeros((number, 10), bool),
                  objects=rng.integers(0, 9, (364, 3)))  # fmt: skip
    table = ImageTable([], [], {f'coco/bbox_mAP.{key}': value for key, value in arrays.items()})
    start = time.process_time()
    score(table, 'coco/bbox_mAP', rng.multinomial(364, [1 / 364] * 364, 100))
    assert time.process_time() - start < 1.5  # 20 times as many: half a minute
