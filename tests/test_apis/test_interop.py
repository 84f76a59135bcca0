"""Predictions for supervision and FiftyOne."""

import json
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.structures import BaseDataElement, InstanceData, PixelData

from sr4ir_mm.apis import to_coco, to_fiftyone, to_supervision
from sr4ir_mm.datasets.selection import Selection
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.inference.predictions import run_lengths

CLASSES = ('ship', 'buoy')


def detections(masks: bool = False, count: int = 2) -> BaseDataElement:
    """Two objects on an image of 20 x 10 px (width x height)."""
    boxes = torch.tensor([[2.0, 1.0, 6.0, 5.0], [10.0, 0.0, 20.5, 10.0]])[:count]
    found = InstanceData(bboxes=boxes, scores=torch.tensor([0.9, 0.25])[:count], labels=torch.tensor([1, 0])[:count])
    if masks:
        mask = torch.zeros(2, 10, 20, dtype=torch.bool)
        mask[0, 2:5, 2:6] = True
        found.masks = mask[:count]
    return BaseDataElement(pred_instances=found, metainfo=dict(ori_shape=(10, 20)))


def scene_objects() -> BaseDataElement:
    """The same objects as a scene has them: masks are run lengths."""
    sample = detections(masks=True)
    masks = [run_lengths(mask.numpy()) for mask in sample.pred_instances.masks]
    sample.pred_instances.set_field(masks, 'masks', dtype=list)
    return sample


def segmentation() -> BaseDataElement:
    labels = torch.zeros(1, 10, 20, dtype=torch.int64)
    labels[0, :, 15:] = 1
    return BaseDataElement(pred_sem_seg=PixelData(data=labels), metainfo=dict(ori_shape=(10, 20)))


def classification() -> BaseDataElement:
    return BaseDataElement(pred_score=torch.tensor([0.3, 0.7]), metainfo=dict(ori_shape=(10, 20)))


def depth() -> BaseDataElement:
    return BaseDataElement(pred_depth_map=PixelData(data=torch.ones(1, 10, 20)), metainfo=dict(ori_shape=(10, 20)))


@pytest.fixture
def sv(monkeypatch) -> ModuleType:
    """supervision, or classes with its documented fields."""
    try:
        import supervision
    except ModuleNotFoundError:
        supervision = ModuleType('supervision')

        def make(xyxy=None, mask=None, confidence=None, class_id=None, tracker_id=None, data=None):
            return SimpleNamespace(xyxy=xyxy, mask=mask, confidence=confidence, class_id=class_id, data=data)

        def mask_to_xyxy(masks):
            spots = [np.nonzero(mask) for mask in masks]
            return np.array([[x.min(), y.min(), x.max(), y.max()] for y, x in spots], float).reshape(-1, 4)

        supervision.Detections, supervision.mask_to_xyxy = make, mask_to_xyxy
        supervision.Classifications = lambda class_id, confidence: SimpleNamespace(**locals())
        monkeypatch.setitem(sys.modules, 'supervision', supervision)
    return supervision


@pytest.mark.parametrize('masks', [False, True])
def test_supervision_of_objects(sv, masks):
    found = to_supervision(detections(masks), CLASSES)
    assert found.xyxy.tolist()[0] == [2, 1, 6, 5] and found.confidence.tolist() == pytest.approx([0.9, 0.25])
    assert found.class_id.tolist() == [1, 0] and found.data['class_name'].tolist() == ['buoy', 'ship']
    assert found.mask is None if not masks else found.mask.dtype == bool and found.mask[0].sum() == 12
    nothing = to_supervision(detections(masks, count=0), CLASSES)
    assert nothing.xyxy.shape == (0, 4) and len(nothing.class_id) == 0


def test_supervision_of_a_scene(sv):
    found, expected = to_supervision(scene_objects(), CLASSES), to_supervision(detections(masks=True), CLASSES)
    assert found.mask.dtype == bool and np.array_equal(found.mask, expected.mask)
    sample = scene_objects()
    sample.pred_instances = sample.pred_instances[sample.pred_instances.scores > 1]
    nothing = to_supervision(sample, CLASSES)
    assert len(nothing.xyxy) == len(nothing.mask) == 0


def test_supervision_of_maps_and_classes(sv):
    found = to_supervision(segmentation(), CLASSES)
    assert found.class_id.tolist() == [0, 1] and found.mask.sum((1, 2)).tolist() == [150, 50]
    assert found.xyxy[1].tolist() == [15, 0, 19, 9] and found.data['class_name'].tolist() == list(CLASSES)
    found = to_supervision(classification())
    assert found.class_id.tolist() == [0, 1] and found.confidence.tolist() == pytest.approx([0.3, 0.7])


def test_supervision_after_a_choice_of_classes(sv):
    sample = segmentation()
    Selection(labels=[1])(sample)
    found = to_supervision(sample, CLASSES)
    assert found.class_id.tolist() == [1] and found.mask.sum((1, 2)).tolist() == [50]
    assert found.data['class_name'].tolist() == ['buoy']
    Selection(labels=[0])(sample)  # no pixel is left
    found = to_supervision(sample, CLASSES)
    assert found.xyxy.shape == (0, 4) and found.mask.shape == (0, 10, 20) and len(found.data['class_name']) == 0


@pytest.fixture
def fo(monkeypatch) -> ModuleType:
    """FiftyOne, or classes with its documented fields."""
    try:
        import fiftyone
    except ModuleNotFoundError:
        fiftyone = ModuleType('fiftyone')
        for name in ('Detection', 'Detections', 'Segmentation', 'Classification'):
            setattr(fiftyone, name, SimpleNamespace)
        monkeypatch.setitem(sys.modules, 'fiftyone', fiftyone)
    return fiftyone


def test_fiftyone_of_objects(fo):
    first, second = to_fiftyone(detections(masks=True), CLASSES).detections
    assert first.bounding_box == pytest.approx([0.1, 0.1, 0.2, 0.4]), 'left, top, width, height in parts of the image'
    assert first.label == 'buoy' and first.confidence == pytest.approx(0.9)
    assert first.mask.shape == (4, 4) and first.mask[1:].all() and not first.mask[0].any(), 'the part in the box'
    assert second.bounding_box == pytest.approx([0.5, 0, 0.5, 1]), 'inside of the image'
    (first,) = to_fiftyone(detections(count=1)).detections
    assert first.label == '1' and first.mask is None
    assert to_fiftyone(detections(count=0), CLASSES).detections == []


def test_fiftyone_of_a_scene(fo):
    found, expected = (to_fiftyone(sample).detections for sample in (scene_objects(), detections(masks=True)))
    for one, other in zip(found, expected, strict=True):
        assert one.bounding_box == other.bounding_box and np.array_equal(one.mask, other.mask)


def test_coco_of_a_scene():
    found, expected = (to_coco(['a'], [sample], CLASSES) for sample in (scene_objects(), detections(masks=True)))
    assert json.loads(json.dumps(found)) == expected and found['annotations'][0]['area'] == 12


def test_fiftyone_of_maps_and_classes(fo):
    found = to_fiftyone(segmentation(), CLASSES)
    assert found.mask.dtype == np.uint8 and found.mask.shape == (10, 20) and found.mask[0, -1] == 1
    found = to_fiftyone(classification(), CLASSES)
    assert found.label == 'buoy' and found.confidence == pytest.approx(0.7)


def test_a_library_that_is_missing(monkeypatch):
    for name, convert in (('supervision', to_supervision), ('fiftyone', to_fiftyone)):
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(SR4IRError, match=f'{name} is not installed: pip install {name}'):
            convert(detections())


def test_predictions_without_a_form(sv, fo):
    for convert, name in ((to_supervision, 'supervision'), (to_fiftyone, 'FiftyOne')):
        with pytest.raises(SR4IRError, match=f'{name} has no form for a sample with pred_depth_map'):
            convert(depth())
    with pytest.raises(SR4IRError, match='COCO has no form for a sample with pred_sem_seg'):
        to_coco(['a.png'], [segmentation()], CLASSES)
