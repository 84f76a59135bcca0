"""Small data in the layouts of the zoos' configs, and their configs shortened to 20 iterations on these data."""

import json
import math
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.config import Config

from helpers.voc_boxes import make_voc_boxes
from helpers.zoo import make_voc
from sr4ir_mm.config.nodes import find_all
from sr4ir_mm.config.zoo import without_weights

#: (x, y, width, height) of the two objects in every image
BOXES = ((8, 8, 48, 64), (64, 24, 56, 60))
HEIGHT, WIDTH = 96, 128
#: iterations of a run, or epochs, which have one iteration each
LENGTH = 20

_SIZES = {'scale', 'scales', 'img_scale', 'crop_size', 'size', 'border', 'random_size_range'}
_TIMES = {'begin', 'end', 'T_max', 'milestones', 'num_last_epochs', 'switch_epoch', 'action_epoch'}
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


def make_voc0712(root: Path) -> None:
    """Write VOC 2007 and 2012 with boxes."""
    boxes = [(name, x, y, x + width, y + height) for name, (x, y, width, height) in zip(('person', 'car'), BOXES)]
    for year in (2007, 2012):
        folder = make_voc_boxes(root / f'VOC{year}', [((HEIGHT, WIDTH), boxes)] * 2)
        for split in ('trainval', 'test'):
            shutil.copy(folder / 'ImageSets/Main/train.txt', folder / f'ImageSets/Main/{split}.txt')


def make_voc2007(root: Path) -> None:
    """Write VOC 2007 with boxes."""
    make_voc0712(root / 'all')
    shutil.copytree(root / 'all/VOC2007', root, dirs_exist_ok=True)


def make_cub(root: Path) -> None:
    """Write CUB-200-2011 with two images for training and two for testing."""
    lists: dict[str, list] = dict(images=[], image_class_labels=[], train_test_split=[])
    for seed in range(2):
        for name, image, _ in _pictures(seed):
            i = len(lists['images']) + 1
            _write(root / f'images/{i}_{name}.jpg', image)
            for key, value in zip(lists, (f'{i}_{name}.jpg', 7 * i, 1 - seed)):
                lists[key].append(f'{i} {value}')
    for key, lines in lists.items():
        (root / f'{key}.txt').write_text('\n'.join(lines))


_MAKERS = {
    'data/coco/': make_coco,
    'data/ade/ADEChallengeData2016': make_ade,
    'data/cityscapes/': make_cityscapes,
    'data/VOCdevkit/VOC2012': make_voc_aug,
    'data/VOCdevkit/': make_voc0712,
    'data/imagenet': make_imagenet,
    'data/VOC2007': make_voc2007,
    'data/CUB_200_2011': make_cub,
}


def map_values(node: Any, change: Callable[[Any, Any], Any], key: Any = None) -> Any:
    """Return the same nested config with ``change(key, value)`` for every value that is not a dict or list."""
    if isinstance(node, dict):
        return {k: map_values(v, change, k) for k, v in node.items()}
    if isinstance(node, (list, tuple)):
        return type(node)(map_values(v, change, key) for v in node)
    return change(key, node)


def data_set(cfg: Config, root: Path) -> tuple[str, Path]:
    """Return the data root that a config names, and small data in its place, which are written if they are missing."""
    data_root = next(find_all(cfg.train_dataloader, 'data_root'))
    folder = root / 'data' / re.sub(r'\W', '_', data_root)
    if not folder.exists():
        _MAKERS[data_root](folder)
    return data_root, folder


def shrink_run(cfg: Config, schedule: Any, root: Path, length: int, shrink: int, **special: Any) -> Callable:
    """Shorten a config of a zoo and put it on small data.

    Args:
        cfg (Config): Config of a zoo, or one of ours from it, which is changed.
        schedule (Any): Schedulers of the task network, which are changed.
        root (Path): Folder for data.
        length (int): Iterations of the run, or epochs.
        shrink (int): Factor by which images become smaller.
        **special: Values of entries with these names.

    Returns:
        Callable: Function ``(key, value)`` that changes a value of the rest of the config in the same way.
    """
    data_root, folder = data_set(cfg, root)
    whole = cfg.train_cfg.get('max_epochs') or cfg.train_cfg.max_iters

    def change(key: Any, value: Any) -> Any:
        if isinstance(value, str):
            return value.replace(data_root, f'{folder}/')
        if key in special:
            return special[key](value)
        if key in _SIZES and shrink > 1 and value is not None:
            return int(math.copysign(32 * math.ceil(abs(value) / shrink / 32), value))
        return math.ceil(value * length / whole) if key in _TIMES else value

    for name in ('train_dataloader', 'val_dataloader', 'val_evaluator', 'custom_hooks', 'data_preprocessor'):
        if cfg.get(name):
            cfg[name] = map_values(cfg[name].to_dict() if isinstance(cfg[name], dict) else list(cfg[name]), change)
    by_epoch = 'max_epochs' in cfg.train_cfg
    cfg.train_cfg.pop('dynamic_intervals', None)
    cfg.train_cfg.update({'max_epochs' if by_epoch else 'max_iters': length, 'val_interval': length})
    for part in [schedule] if isinstance(schedule, dict) else schedule or []:
        # a warm-up in iterations of a run in epochs stays as long as it is
        part.update(map_values(part.to_dict(), change) if part.get('by_epoch', True) == by_epoch else {})
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.update(batch_size=2, num_workers=0, persistent_workers=False)
    cfg.default_hooks.checkpoint.interval = length
    cfg.default_hooks.logger.interval = 1
    return change


def tiny_run(path: Path, root: Path) -> Config:
    """Return a config of ``configs/zoo`` on data in ``root``: smaller images and SR network, fewer iterations."""
    cfg = Config.fromfile(path)
    backbone = cfg.model.task.backbone.type
    # mmseg 1.2.2: class weights fail on ignored pixels, so no crop of PIDNet may be padded; and its sides must be
    # multiples of 8, as those of Cityscapes' own images are
    pidnet = dict(ratio_range=lambda value: max(value, 1.0), keep_ratio=lambda value: False)
    shrink = 1 if backbone in _FIXED else 4 if cfg.default_scope == 'mmpretrain' else 10
    change = shrink_run(cfg, cfg.param_scheduler.task, root, LENGTH, shrink, **(pidnet if backbone == 'PIDNet' else {}))
    cfg.model.task = without_weights(cfg.model.task)
    if 'rcnn' in (cfg.model.task.get('train_cfg') or {}):
        cfg.model.task.train_cfg.rcnn.sampler.num = 16  # of 512 boxes for the heads
    if cfg.model.task.get('data_preprocessor'):
        cfg.model.task.data_preprocessor = map_values(cfg.model.task.data_preprocessor.to_dict(), change)
    del cfg.model.sr['init_cfg']
    small = dict(mid_channels=8, num_blocks=1)
    if cfg.model.sr.type == 'mmagic.SwinIRNet':
        small = dict(img_size=16, window_size=4, depths=[2], embed_dim=12, num_heads=[2])
    cfg.model.sr.update(small)
    cfg.merge_from_dict(dict(work_dir=str(root / 'work'), experiment_name=path.stem, randomness=dict(seed=0)))
    cfg.visualizer.name = path.stem
    return cfg
