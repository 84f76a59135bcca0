"""The generated data set is reproducible and consistent, and the data set classes of all three zoos read it."""

import hashlib
import sys
from pathlib import Path

import mmdet.datasets  # noqa: F401
import mmpretrain.datasets  # noqa: F401
import mmseg.datasets  # noqa: F401
import numpy as np
import pytest
from mmengine.registry import DATASETS
from PIL import Image

from sr4ir_mm.errors import SR4IRError

sys.path.insert(0, str(Path(__file__).parents[2] / 'tools'))
from make_demo_data import CLASSES, make


@pytest.fixture(scope='module')
def root(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp('demo') / 'VOCdevkit/VOC2012'
    make(out, train=6, val=4)
    return out


def digest(folder: Path) -> dict:
    files = (path for path in sorted(folder.rglob('*')) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_seed_gives_the_same_bytes(root, tmp_path):
    make(tmp_path / 'again', train=6, val=4)
    make(tmp_path / 'other', train=6, val=4, seed=1)
    assert digest(tmp_path / 'again') == digest(root)
    assert digest(tmp_path / 'other') != digest(root)


def test_mmseg_reads_masks_of_every_class(root):
    folders = dict(img_path='JPEGImages', seg_map_path='SegmentationClass')
    pipeline = [dict(type='mmseg.LoadImageFromFile'), dict(type='mmseg.LoadAnnotations')]
    dataset = DATASETS.build(
        dict(type='mmseg.BaseSegDataset', data_root=str(root), ann_file='ImageSets/Segmentation/train.txt',
             data_prefix=folders, metainfo=dict(classes=CLASSES), pipeline=pipeline))  # fmt: skip
    samples = [dataset[i] for i in range(len(dataset))]
    assert len(samples) == 6 and samples[0]['img'].shape == (128, 128, 3)
    assert set(np.unique([s['gt_seg_map'] for s in samples])) == {0, 1, 2, 3, 4}


def test_mmdet_reads_boxes_that_fit_the_masks(root):
    dataset = DATASETS.build(
        dict(type='mmdet.VOCDataset', data_root=str(root.parent), ann_file='VOC2012/ImageSets/Main/val.txt',
             data_prefix=dict(sub_data_root='VOC2012/'), metainfo=dict(classes=CLASSES[1:])))  # fmt: skip
    assert len(dataset) == 4
    for i in range(4):
        info = dataset.get_data_info(i)
        mask = np.array(Image.open(root / 'SegmentationClass' / f'{info["img_id"]}.png'))
        covered = np.zeros_like(mask)
        for instance in info['instances']:
            x1, y1, x2, y2 = (int(v) for v in instance['bbox'])
            assert 0 <= x1 <= x2 < 128 and 0 <= y1 <= y2 < 128  # mmdet counts from 0, both ends included
            assert (mask[y1 : y2 + 1, x1 : x2 + 1] == instance['bbox_label'] + 1).any()
            covered[y1 : y2 + 1, x1 : x2 + 1] = 1
        assert not mask[covered == 0].any()


def test_mmpretrain_reads_labels(root):
    dataset = DATASETS.build(
        dict(type='mmpretrain.VOC', data_root=str(root), image_set_path='ImageSets/Main/train.txt',
             data_prefix=dict(img_path='JPEGImages', ann_path='Annotations'),
             metainfo=dict(classes=CLASSES[1:])))  # fmt: skip
    assert len(dataset) == 6
    for i in range(6):
        info = dataset.get_data_info(i)
        mask = np.array(Image.open(root / 'SegmentationClass' / Path(info['img_path']).with_suffix('.png').name))
        assert {label + 1 for label in info['gt_label']} == set(np.unique(mask)) - {0}


@pytest.mark.parametrize('options', [dict(train=0), dict(val=-1), dict(seed=-1)])
def test_numbers_out_of_range(options, tmp_path):
    with pytest.raises(SR4IRError, match=f'make_demo_data.py: {next(iter(options))}=.* must be'):
        make(tmp_path / 'out', **options)
    assert not (tmp_path / 'out').exists()
