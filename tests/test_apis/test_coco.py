"""Predictions as a data set in COCO's format, read by pycocotools."""

import json

import pytest
import torch
from mmengine.structures import BaseDataElement, InstanceData
from pycocotools.coco import COCO

from sr4ir_mm.apis import to_coco


def sample(count: int, masks: bool = True) -> BaseDataElement:
    found = InstanceData(
        bboxes=torch.tensor([[1.0, 2.0, 5.0, 4.5]] * count).reshape(-1, 4), scores=torch.full((count,), 0.5),
        labels=torch.arange(count),
    )  # fmt: skip
    if masks:
        found.masks = torch.zeros(count, 8, 12, dtype=torch.bool)
        found.masks[:, 2:4, 1:5] = True
    return BaseDataElement(pred_instances=found, metainfo=dict(ori_shape=(8, 12)))


@pytest.mark.parametrize('masks', [False, True])
def test_pycocotools_reads_it(masks, tmp_path):
    data = to_coco(['in/a.png', 'b.png', 'c.png'], [sample(2, masks), sample(0, masks), sample(1, masks)], ['x', 'y'])
    (tmp_path / 'a.json').write_text(json.dumps(data))
    coco = COCO(tmp_path / 'a.json')
    assert [image['file_name'] for image in coco.loadImgs([1, 2, 3])] == ['in/a.png', 'b.png', 'c.png']
    assert coco.loadImgs([1])[0]['width'] == 12
    assert [coco.cats[entry['category_id']]['name'] for entry in coco.loadAnns(coco.getAnnIds([1]))] == ['x', 'y']
    assert not coco.getAnnIds([2])
    (last,) = coco.loadAnns(coco.getAnnIds([3]))
    assert last['bbox'] == [1, 2, 4, 2.5] and last['score'] == 0.5 and last['area'] == (8 if masks else 10)
    if masks:
        assert coco.annToMask(last)[2:4, 1:5].all() and coco.annToMask(last).sum() == 8
    found = coco.loadRes(data['annotations'])  # as COCO's evaluation reads results
    assert len(found.anns) == 3
