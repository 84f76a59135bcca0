"""Predictions as a data set in COCO's format, read by pycocotools."""

import json

import numpy as np
import pytest
import torch
from helpers.zoo import run_tool
from mmengine.structures import BaseDataElement, InstanceData
from PIL import Image
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


def test_the_tool_writes_all_objects_to_one_file(tmp_path):
    for name in 'ab':
        Image.fromarray(np.full((24, 32, 3), 90, np.uint8)).save(tmp_path / f'{name}.png')
    args = ('a.png', 'b.png', '--weights', 'random', '--no-save-vis', '--device', 'cpu', '--coco')
    assert run_tool('infer', 'atss-efficientnet-lite0_edsr-s_x4_bccd', *args, 'out/coco.json', cwd=tmp_path) == 0
    data = json.loads((tmp_path / 'out/coco.json').read_text())
    assert [image['file_name'] for image in data['images']] == ['a.png', 'b.png']
    assert [entry['name'] for entry in data['categories']] == ['RBC', 'WBC', 'Platelets']
    files = [json.loads((tmp_path / f'outputs/preds/{name}.json').read_text()) for name in 'ab']
    counts = [len(content['pred_instances']['scores']) for content in files]
    assert len(data['annotations']) == sum(counts) > 0
