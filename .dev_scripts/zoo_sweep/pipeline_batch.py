"""Synthetic batches with everything that the pipeline of a zoo's config packs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import FUNCTIONS, TRANSFORMS, DefaultScope

from sr4ir_mm.analysis.synthetic_batch import image_metainfo, synthetic_image
from sr4ir_mm.config.nodes import find_all, type_name

#: transforms that add an entry to a sample; those that only change it are left out
ADDING = ('GenerateEdge', 'ConcatCDInput')
#: transforms that make several images, or masks of the size that the config crops to; a pipeline with one of them runs
#: as a whole
WHOLE = (
    'MultiView', 'BEiTMaskGenerator', 'SimMIMMaskGenerator', 'RandomResizedCropAndInterpolationWithTwoPic',
    'MAERandomResizedCrop',
)  # fmt: skip
PACK = dict(mmseg='PackSegInputs', mmdet='PackDetInputs', mmpretrain='PackInputs')


def pipeline_batch(cfg: Config, zoo: str, size: int, loader: str = 'train_dataloader', count: int = 2) -> dict:
    """Make a batch of smooth random images, with the ground truth that the config's own pipeline packs.

    Args:
        cfg (Config): Complete config of the zoo.
        zoo (str): Scope of the config: 'mmseg', 'mmdet' or 'mmpretrain'.
        size (int): Height and width; pipelines of self-supervised networks crop to a size of their own instead.
        loader (str): Data loader with the pipeline: 'train_dataloader' or 'test_dataloader'.
        count (int): Number of images.

    Returns:
        dict: ``inputs`` (3 x H x W, uint8, or lists of these) and ``data_samples``, collated as the config says.
    """
    generator = torch.Generator().manual_seed(0)
    loader = cfg.get(loader) or {}
    steps = _transforms(loader)
    kinds = [_kind(step) for step in steps]
    if whole := any(kind in WHOLE for kind in kinds):
        kept = [step for step, kind in zip(steps, kinds) if not kind.startswith('Load')]
        size = 300
    else:
        kept = [step for step, kind in zip(steps, kinds) if kind in ADDING]
        kept += [step for step, kind in zip(steps, kinds) if kind.startswith('Pack')][-1:] or [dict(type=PACK[zoo])]
    with DefaultScope.overwrite_default_scope(zoo):
        pack = Compose([TRANSFORMS.build(dict(step)) for step in kept])
    make = dict(mmseg=_segmentation, mmdet=_detection, mmpretrain=_classification)[zoo]
    samples = []
    for i in range(1 if 'PackReIDInputs' in kinds else count):  # these networks take one sample of several images
        sample = dict(_image(generator, size, i), **make(cfg.model, size, i, steps))
        if not whole and _kind(kept[-1]) in ('PackTrackInputs', 'PackReIDInputs'):
            sample = {key: [value, value] for key, value in sample.items()}  # two frames
        samples.append(pack(sample))
    return _collate(loader)(samples)


def _transforms(loader: dict) -> list[dict]:
    """List all steps of the pipelines of a data loader in order, including the steps inside other steps."""
    pipelines = [step for pipeline in find_all(loader, 'pipeline') for step in pipeline]
    steps = []
    for step in pipelines:
        steps.append(step)
        if _kind(step) in ('TransformBroadcaster', 'RandomApply') or 'share_random_params' in step:
            steps += step['transforms']
    return steps


def _kind(step: dict) -> str:
    return type_name(step['type'])


def _image(generator: torch.Generator, size: int, index: int) -> dict:
    image = synthetic_image((size, size), generator).permute(1, 2, 0).contiguous().numpy()
    return dict(
        image_metainfo(index, (size, size)), img=image, img2=image, sample_idx=index, image_id=str(index),
        scale=(size, size), border=np.array([0, size, 0, size]), homography_matrix=np.eye(3, dtype=np.float32),
    )  # fmt: skip


def _classes(model: dict, key: str = 'num_classes', default: int = 2) -> int:
    return min((n for n in find_all(model, key) if isinstance(n, int) and n > 0), default=default)


def _segmentation(model: dict, size: int, index: int, steps: list[dict]) -> dict:
    classes = np.zeros((size, size), np.uint8)
    classes[size // 4 : -4, size // 3 :] = min(1 + index, _classes(model) - 1)
    depth = np.linspace(0.1, 5, size * size, dtype=np.float32).reshape(size, size)
    sample = dict(gt_seg_map=classes, gt_seg_map_to=classes, seg_fields=['gt_seg_map'])
    return sample | dict(gt_depth_map=depth) if any(_kind(step) == 'LoadDepthAnnotation' for step in steps) else sample


def _detection(model: dict, size: int, index: int, steps: list[dict]) -> dict:
    from mmdet.structures.bbox import HorizontalBoxes
    from mmdet.structures.mask import BitmapMasks, PolygonMasks

    boxes = np.array([[4, 4, size / 2, size - 4], [size / 4, 8, size - 4, size / 2]], np.float32)
    sample = dict(
        gt_bboxes=HorizontalBoxes(boxes), gt_bboxes_labels=np.arange(index, index + 2) % _classes(model),
        gt_ignore_flags=np.zeros(2, bool), gt_instances_ids=np.arange(2), instances=[], frame_id=index, video_id=0,
        video_length=2, ori_video_length=2, key_frame_flags=index == 0, gt_label=index, text='thing . other thing .',
        custom_entities=False, tokens_positive=None,
    )  # fmt: skip
    loads = [step for step in steps if _kind(step).startswith('Load')]
    panoptic = any(_kind(step) == 'LoadPanopticAnnotations' for step in loads)
    if panoptic or any(step.get('with_mask') for step in loads):
        if any(step.get('poly2mask') is False for step in loads):
            polygons = [[np.array([x, y, u, y, u, v, x, v], np.float32)] for x, y, u, v in boxes]
            sample['gt_masks'] = PolygonMasks(polygons, size, size)
        else:
            sample['gt_masks'] = BitmapMasks(_box_masks(boxes, size), size, size)
    if panoptic or any(step.get('with_seg') for step in loads):
        classes = np.zeros((size, size), np.uint8)
        classes[:, size // 2 :] = _classes(model, 'num_things_classes', 1)  # the first class of stuff
        sample['gt_seg_map'] = classes
    if any(_kind(step) == 'LoadProposals' for step in loads):
        sample.update(proposals=boxes, proposals_scores=np.ones(2, np.float32))
    return sample


def _box_masks(boxes: np.ndarray, size: int) -> np.ndarray:
    masks = np.zeros((len(boxes), size, size), np.uint8)
    for mask, (x, y, u, v) in zip(masks, boxes.astype(int)):
        mask[y:v, x:u] = 1
    return masks


def _classification(model: dict, size: int, index: int, steps: list[dict]) -> dict:
    label: Any = index % _classes(model)
    head = model.get('head') or {}
    if tasks := head.get('task_heads'):
        label = {task: index % _classes(part) for task, part in tasks.items()}
    elif head and ('MultiLabel' in _kind(head) or _kind(head) == 'CSRAClsHead'):
        label = [0, 1]
    return dict(
        gt_label=label, gt_caption=['a thing'], text=['a thing'], question='what is it', gt_answer=['thing'],
        gt_answer_weight=[1.0], is_matched=True,
    )  # fmt: skip


def _collate(loader: dict) -> Callable[[list], dict]:
    options = dict(loader.get('collate_fn', dict(type='pseudo_collate')))
    kind = options.pop('type')
    function = kind if callable(kind) else FUNCTIONS.get(kind)
    return lambda samples: function(samples, **options)
