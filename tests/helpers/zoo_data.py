"""Small data in the layouts of the zoos' configs, and their configs shortened to 20 iterations on these data."""

import json
import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.config import Config

from helpers.zoo import make_voc
from sr4ir_mm.config.nodes import find_all
from sr4ir_mm.config.zoo import without_weights

#: (x, y, width, height) of the two objects in every image
BOXES = ((8, 8, 48, 64), (64, 24, 56, 60))
HEIGHT, WIDTH = 96, 128
#: iterations of a run, or epochs, which have one iteration each
LENGTH = 20

_SIZES = {'scale', 'scales', 'img_scale', 'crop_size', 'size', 'border', 'random_size_range'}
_TIMES = {'begin', 'end', 'T_max', 'milestones', 'num_last_epochs', 'switch_epoch'}
#: backbones whose position embedding fixes the size of the image
_FIXED = {'VisionTransformer', 'SwinTransformer'}


def _pictures(seed: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield name, image and mask (0: background; 1, 2: objects), two for each split."""
    for i in range(2):
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        for label, (x, y, width, height) in enumerate(BOXES, 1):
            mask[y : y + height, x : x + width] = label
        noise = np.random.default_rng(2 * seed + i).integers(0, 60, (HEIGHT, WIDTH, 3))
        yield str(i), (80 * mask[..., None] + noise).astype(np.uint8), mask


def _write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image)


def make_coco(root: Path) -> None:
    """Write COCO: boxes and polygons; panoptic maps of a person, a car and a wall."""
    from mmdet.datasets import CocoPanopticDataset

    things = len(CocoPanopticDataset.METAINFO['thing_classes'])
    names = CocoPanopticDataset.METAINFO['classes']
    categories = [dict(id=i + 1, name=name, isthing=int(i < things)) for i, name in enumerate(names)]
    for seed, split in enumerate(('train2017', 'val2017')):
        images, instances, panoptic = [], [], []
        for i, (name, image, mask) in enumerate(_pictures(seed)):
            _write(root / split / f'{name}.jpg', image)
            # an id is R + 256 G + 65536 B
            _write(root / f'annotations/panoptic_{split}/{name}.png', np.stack([0 * mask, 0 * mask, mask + 1], -1))
            images.append(dict(id=i, file_name=f'{name}.jpg', height=HEIGHT, width=WIDTH))
            ground = dict(id=1, category_id=names.index('wall-brick') + 1, bbox=[0, 0, WIDTH, HEIGHT])
            objects = [dict(id=j + 2, category_id=3 * j + 1, bbox=list(box)) for j, box in enumerate(BOXES)]
            segments = [dict(s, iscrowd=0, area=s['bbox'][2] * s['bbox'][3]) for s in (ground, *objects)]
            panoptic.append(dict(image_id=i, file_name=f'{name}.png', segments_info=segments))
            for (x, y, w, h), segment in zip(BOXES, segments[1:]):
                polygon = [x, y, x + w, y, x + w, y + h, x, y + h]
                instances.append(dict(segment, id=len(instances) + 1, image_id=i, segmentation=[polygon]))
        for kind, annotations in (('instances', instances), ('panoptic', panoptic)):
            content = dict(images=images, annotations=annotations, categories=categories)
            (root / f'annotations/{kind}_{split}.json').write_text(json.dumps(content))


def make_ade(root: Path) -> None:
    """Write ADE20K: 0 is no class."""
    for seed, split in enumerate(('training', 'validation')):
        for name, image, mask in _pictures(seed):
            _write(root / f'images/{split}/{name}.jpg', image)
            _write(root / f'annotations/{split}/{name}.png', mask)


def make_cityscapes(root: Path) -> None:
    """Write Cityscapes with its training ids."""
    for seed, split in enumerate(('train', 'val')):
        for name, image, mask in _pictures(seed):
            _write(root / f'leftImg8bit/{split}/a/{name}_leftImg8bit.png', image)
            _write(root / f'gtFine/{split}/a/{name}_gtFine_labelTrainIds.png', mask)


def make_voc_aug(root: Path) -> None:
    """Write VOC 2012 with the masks of SBD."""
    make_voc(root, ((HEIGHT, WIDTH),) * 2)
    shutil.copytree(root / 'SegmentationClass', root / 'SegmentationClassAug')
    shutil.copy(root / 'ImageSets/Segmentation/train.txt', root / 'ImageSets/Segmentation/aug.txt')


def make_imagenet(root: Path) -> None:
    """Write ImageNet with lists of its images."""
    (root / 'meta').mkdir(parents=True)
    for seed, split in enumerate(('train', 'val')):
        for name, image, _ in _pictures(seed):
            _write(root / split / f'{name}.jpg', image)
        (root / f'meta/{split}.txt').write_text('0.jpg 7\n1.jpg 900\n')


_MAKERS = {
    'data/coco/': make_coco,
    'data/ade/ADEChallengeData2016': make_ade,
    'data/cityscapes/': make_cityscapes,
    'data/VOCdevkit/VOC2012': make_voc_aug,
    'data/imagenet': make_imagenet,
}


def _map(node: Any, change: Callable[[Any, Any], Any], key: Any = None) -> Any:
    """Return the same nested config with ``change(key, value)`` for every value that is not a dict or list."""
    if isinstance(node, dict):
        return {k: _map(v, change, k) for k, v in node.items()}
    if isinstance(node, (list, tuple)):
        return type(node)(_map(v, change, key) for v in node)
    return change(key, node)


def tiny_run(path: Path, root: Path) -> Config:
    """Return a config of ``configs/zoo`` on data in ``root``: smaller images and SR network, fewer iterations."""
    cfg = Config.fromfile(path)
    data_root = next(find_all(cfg.train_dataloader, 'data_root'))
    _MAKERS[data_root](root / 'data')
    length = cfg.train_cfg.get('max_epochs') or cfg.train_cfg.max_iters
    classifier = cfg.default_scope == 'mmpretrain'
    pidnet = cfg.model.task.backbone.type == 'PIDNet'
    shrink = 1 if cfg.model.task.backbone.type in _FIXED else 4 if classifier else 10

    def change(key: Any, value: Any) -> Any:
        if isinstance(value, str):
            return value.replace(data_root, f'{root}/data/')
        if pidnet and key == 'ratio_range':
            return max(value, 1.0)  # mmseg 1.2.2: class weights fail on ignored pixels, so no crop may be padded
        if pidnet and key == 'keep_ratio':
            return False  # its sides must be multiples of 8, as those of Cityscapes' own images are
        if key in _SIZES and shrink > 1:
            return int(math.copysign(32 * math.ceil(abs(value) / shrink / 32), value))
        return math.ceil(value * LENGTH / length) if key in _TIMES else value

    for name in ('train_dataloader', 'val_dataloader', 'val_evaluator', 'custom_hooks', 'data_preprocessor'):
        if cfg.get(name):
            cfg[name] = _map(cfg[name].to_dict() if isinstance(cfg[name], dict) else list(cfg[name]), change)
    _shorten(cfg, change)
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.update(batch_size=2, num_workers=0, persistent_workers=False)
    cfg.model.task = without_weights(cfg.model.task)
    if 'rcnn' in (cfg.model.task.get('train_cfg') or {}):
        cfg.model.task.train_cfg.rcnn.sampler.num = 16  # of 512 boxes for the heads
    if cfg.model.task.get('data_preprocessor'):
        cfg.model.task.data_preprocessor = _map(cfg.model.task.data_preprocessor.to_dict(), change)
    del cfg.model.sr['init_cfg']
    small = dict(mid_channels=8, num_blocks=1)
    if cfg.model.sr.type == 'mmagic.SwinIRNet':
        small = dict(img_size=16, window_size=4, depths=[2], embed_dim=12, num_heads=[2])
    cfg.model.sr.update(small)
    cfg.merge_from_dict(dict(work_dir=str(root / 'work'), experiment_name=path.stem, randomness=dict(seed=0)))
    cfg.visualizer.name = path.stem
    return cfg


def _shorten(cfg: Config, change: Callable[[Any, Any], Any]) -> None:
    by_epoch = 'max_epochs' in cfg.train_cfg
    cfg.train_cfg.pop('dynamic_intervals', None)
    cfg.train_cfg.update({'max_epochs' if by_epoch else 'max_iters': LENGTH, 'val_interval': LENGTH})
    schedule = cfg.param_scheduler.task
    cfg.param_scheduler.task = [
        # a warm-up in iterations of a run in epochs stays as long as it is
        _map(s.to_dict(), change) if s.get('by_epoch', True) == by_epoch else s
        for s in ([schedule] if isinstance(schedule, dict) else schedule)
    ]
    cfg.default_hooks.checkpoint.interval = LENGTH
    cfg.default_hooks.logger.interval = 1
