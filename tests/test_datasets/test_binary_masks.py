"""Masks in which another value was written as 255: a training would learn one class, or none."""

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import cv2
import mmdet.datasets  # noqa: F401
import mmseg.datasets  # noqa: F401
import numpy as np
import pytest
from helpers.toy import EDSR, ToyClassifier
from mmengine.config import Config
from mmengine.dataset import RepeatDataset
from mmengine.registry import DATASETS
from torch.utils.data import Dataset

from sr4ir_mm.datasets.binary_masks import check_learned
from sr4ir_mm.engine import ClassCheckHook
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR

THREE = ('road', 'car', 'sky')
CITY = dict(type='mmseg.CityscapesDataset', seg_map_suffix='.png')  # of whose classes some are used


def seg(root: Path, *masks: tuple[int, ...], classes: tuple[str, ...] = THREE, **options) -> Dataset:
    """Return mmseg's data set with a mask of each tuple of values."""
    for folder in ('images', 'masks'):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for number, values in enumerate(masks):
        cv2.imwrite(str(root / f'images/{number}.png'), np.zeros((8, 8, 3), np.uint8))
        cv2.imwrite(str(root / f'masks/{number}.png'), np.resize(np.array(values, np.uint8), (8, 8)))
    prefix = dict(img_path='images', seg_map_path='masks')
    config = dict(type='mmseg.BaseSegDataset', data_root=str(root), img_suffix='.png', pipeline=[], data_prefix=prefix,
                  metainfo=dict(classes=classes))  # fmt: skip
    return DATASETS.build(config | options)


@pytest.mark.parametrize('masks, options, message', [
    ([(0, 255)] * 2, {}, "the values 0 and 255, and 255 is ignored, so that no class but 'road' would be"),
    ([(0,), (255,)], {}, "no class but 'road' would be learned: write the number of its class instead of 255"),
    ([(255,)] * 2, {}, 'only the values 255, and 255 is ignored, so that no class would be learned'),
    ([(255,)], dict(classes=('ground', 'crop')), 'so that no class would be learned'),
    ([(0, 255)], dict(reduce_zero_label=True), 'so that no class would be learned'),
    ([(0, 255)], dict(classes=('crack',)),
     r"no class but 'crack' .*: set metainfo.classes=\('background', 'crack'\) and num_classes=2, and write 255 as 1"),
    ([(0, 255)], dict(CITY, classes=('sky', 'car', 'bus')), 'no class would'),
    ([(0, 255)], dict(type='mmdet.BaseSegDataset'), "no class but 'road'"),
])  # fmt: skip
def test_a_training_that_would_learn_one_class_or_none(masks, options, message, tmp_path):
    part = seg(tmp_path, *masks, **options)
    with pytest.raises(SR4IRError, match=rf"The masks in '.*masks' have .*{message}"):
        check_learned(part)


@pytest.mark.parametrize('masks, options', [
    ([(0, 1, 255)], {}),
    ([(0, 255)] * 30 + [(0, 2)], {}),  # it may be rare
    ([(0,)] * 3, {}),
    ([(0,)], dict(classes=('all',))),
    ([(255, 1)], dict(reduce_zero_label=True)),
    ([(0, 10)], dict(CITY, classes=('sky', 'car', 'bus'))),
    ([(0, 255)], dict(data_prefix=dict(img_path='images'))),
])  # fmt: skip
def test_what_can_be_learned(masks, options, tmp_path):
    check_learned(seg(tmp_path, *masks, **options))


def test_masks_that_cannot_be_read_are_left_to_the_pipeline(tmp_path):
    part = seg(tmp_path, (0, 255))
    (tmp_path / 'masks/0.png').write_bytes(b'no image')
    check_learned(part)


@pytest.mark.parametrize('scheme, stage, fits', [
    ('SR4IR', 'train', False),
    ('SR4IR', 'test', True),  # without annotations, such as those of Cityscapes
    ('S', 'train', True),  # of images alone
])  # fmt: skip
@pytest.mark.parametrize('options', [{}, dict(ignore_index=254)])
def test_only_masks_of_a_training_are_refused(scheme, stage, fits, options, tmp_path):
    data = RepeatDataset(seg(tmp_path, (0, 255), **options), times=2)
    loop = SimpleNamespace(dataloader=SimpleNamespace(dataset=data))
    model = SR4IR(EDSR, ToyClassifier(), scale=4, scheme=scheme)
    runner = SimpleNamespace(model=model, cfg=Config(), **{f'_{stage}_loop': loop})
    with nullcontext() if fits or options else pytest.raises(SR4IRError, match="no class but 'road' would be learned"):
        ClassCheckHook().before_run(runner)
