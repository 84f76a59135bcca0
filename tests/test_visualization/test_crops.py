"""Windows of data samples whose objects have boxes, masks, or both."""

import torch
from mmengine.structures import BaseDataElement, InstanceData

from sr4ir_mm.visualization.crops import crop


def objects(boxes: list[list[float]], **fields) -> BaseDataElement:
    found = InstanceData(bboxes=torch.tensor(boxes), labels=torch.zeros(len(boxes), dtype=torch.long), **fields)
    return BaseDataElement(metainfo=dict(ori_shape=(8, 8)), pred_instances=found)


def test_objects_outside_of_a_window_are_left_out():
    sample = objects([[0.0, 0.0, 3.0, 3.0], [5.0, 5.0, 8.0, 8.0]])
    found = crop(sample, (slice(4, 8), slice(4, 8)), (40, 40)).pred_instances
    assert found.bboxes.tolist() == [[10.0, 10.0, 40.0, 40.0]]


def test_networks_that_predict_masks_alone_have_empty_boxes():
    masks = torch.zeros(2, 8, 8, dtype=torch.bool)
    masks[:, 5:, 5:] = True
    found = crop(objects([[0.0] * 4] * 2, masks=masks), (slice(4, 8), slice(4, 8)), (40, 40)).pred_instances
    assert found.masks.shape == (2, 40, 40) and found.masks.any()
