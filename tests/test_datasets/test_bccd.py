"""The micrographs of blood: classes, splits, and boxes of a single pixel, which the set has."""

from collections import Counter
from pathlib import Path

import pytest
import torch
from helpers.voc_boxes import make_voc_boxes
from mmengine.registry import DATASETS, MODELS, init_default_scope

from sr4ir_mm.config import load_config

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'configs/mini/atss-efficientnet-lite0_edsr-s_x8_bccd.py'
SHARED = ROOT.parent / 'shared/data/bccd'
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason='needs ../shared/data/bccd')


def built(root: Path, split: str = 'train'):
    cfg = load_config(CONFIG, {'data_root': str(root)})
    init_default_scope('mmdet')
    return cfg, DATASETS.build(cfg[f'{split}_dataloader'].dataset)


def test_a_box_of_one_pixel_is_learned_from(tmp_path):
    boxes = [('RBC', 20, 30, 20, 90), ('WBC', 100, 40, 220, 200), ('Platelets', 300, 300, 330, 330)]
    root = make_voc_boxes(tmp_path, [((480, 640), boxes)])
    cfg, data = built(root)
    sample = data[0]
    instances = sample['data_samples'].gt_instances
    assert instances.labels.tolist() == [0, 1, 2] and tuple(sample['inputs'].shape[-2:]) == (240, 320)
    sides = instances.bboxes.tensor[:, 2:] - instances.bboxes.tensor[:, :2]
    assert sides[0].tolist() == [0.5, 30.5]  # half of 1 and 61 px
    cfg.model.task.backbone.init_cfg = None
    torch.manual_seed(0)
    task = MODELS.build(cfg.model.task)
    batch = task.data_preprocessor(dict(inputs=[sample['inputs']] * 2, data_samples=[sample['data_samples']] * 2), True)
    losses = task(**batch, mode='loss')
    total, _ = task.parse_losses(losses)
    total.backward()
    assert total.isfinite() and all(p.grad is None or p.grad.isfinite().all() for p in task.parameters())


@needs_shared
def test_the_published_set():
    counts, ones = Counter(), []
    for split, number in dict(train=205, val=87, test=72).items():
        data = built(SHARED, split)[1]
        assert len(data) == number
        for index in range(number):
            for instance in data.get_data_info(index)['instances']:
                x1, y1, x2, y2 = instance['bbox']
                counts[data.metainfo['classes'][instance['bbox_label']]] += 1
                ones += [1] if min(x2 - x1, y2 - y1) == 1 else []
                assert x1 < x2 <= 640 and y1 < y2 <= 480
    assert counts == dict(RBC=4155, WBC=372, Platelets=361) and len(ones) == 2
