"""Predictions on images that are low-resolution already."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import TRANSFORMS
from torch import Tensor

from ..config.nodes import type_name
from ..models import SR4IR
from .tiling import tiled


class LRPredictor:
    """S enlarges the image as it is, and T's own test pipeline goes on from there, as if it had loaded the result.

    So T sees objects in the size that its authors test with, whatever the size of the LR image, and no image is resized
    before S. Annotations are loaded last: they keep the coordinates that they were made in.

    Args:
        model (SR4IR): S and T, not wrapped, in eval mode.
        pipeline (Sequence[dict]): T's test pipeline.
        annotations (bool): Whether the pipeline's steps that load annotations stay in it.
        tile (int): Images with a longer side, in LR pixels, go through S in pieces; see :func:`tiled`.
    """

    def __init__(self, model: SR4IR, pipeline: Sequence[dict], annotations: bool = False, tile: int = 256) -> None:
        steps = [dict(step) for step in pipeline]
        loads = [step for step in steps if 'Load' in type_name(step['type'])]
        (*steps, pack) = [step for step in steps if step not in loads]
        loads = [step for step in loads if annotations and 'LoadImage' not in type_name(step['type'])]
        self.pipeline = Compose([TRANSFORMS.build(step) for step in [*steps, *loads, pack]])
        # Pillow, which these two work with, takes nothing but 8 bits; else SR stays as exact as T has learnt it
        self.rounds = any(step.get('backend') == 'pillow' or 'torchvision' in str(step['type']) for step in steps)
        self.model = model
        self.tile = tile

    @torch.no_grad()
    def __call__(self, items: Sequence[dict], coords: str = 'lr') -> list:
        """Predict.

        Args:
            items (Sequence[dict]): For each image ``img``, h x w x 3, uint8, BGR, and what else the pipeline reads.
            coords (str): Of what T predicts: 'lr', those of the LR image, or 'sr', ``scale`` times as large. Maps of
                classes take the size of their ground truth, where there is one.

        Returns:
            list: T's data samples, which also hold ``lr`` and ``task_input`` (what T received), 3 x H x W in [0, 1], RGB.
        """
        groups = defaultdict(list)  # images of one size make a batch
        for index, item in enumerate(items):
            groups[item['img'].shape].append(index)
        samples: list[Any] = [None] * len(items)
        for group in groups.values():
            lr = torch.stack([lr_image(items[i]['img']) for i in group])
            for i, sample in zip(group, self.run_task([items[i] for i in group], lr, self.upsample(lr), coords)):
                samples[i] = sample
        return samples

    def upsample(self, lr: Tensor) -> Tensor:
        """What T sees: N x 3 x h x w to N x 3 x (scale h) x (scale w), on the CPU; see :meth:`SR4IR.upsample`."""
        lr = lr.to(next(self.model.parameters()).device)
        if self.model.scheme.test_input == 'sr' and max(lr.shape[-2:]) > self.tile:
            return tiled(self.model.sr, lr, self.model.scale, self.tile)
        return self.model.upsample(lr).cpu()

    @torch.no_grad()
    def run_task(self, items: Sequence[dict], lr: Tensor, sr: Tensor, coords: str) -> list:
        """T's part: data samples of images of one size, N x 3 x h x w, and what S made of them."""
        if coords == 'sr' and 'height' in items[0]:  # of the HR image: S returns up to scale - 1 pixels more
            sr = sr[..., : items[0]['height'], : items[0]['width']]
        packed = [self._pack(item, *images, coords) for item, *images in zip(items, lr, sr)]
        if self.model.scheme.uses_task_net:
            samples = self.model.task.test_step(pseudo_collate(packed))
        else:
            samples = [entry['data_samples'] for entry in packed]
        for sample, low, seen in zip(samples, lr, sr):
            sample.set_data(dict(lr=low, task_input=seen))
        return samples

    def _pack(self, item: dict, lr: Tensor, sr: Tensor, coords: str) -> dict:
        image = sr.permute(1, 2, 0).flip(-1).mul(255)
        image = (image.round().clamp(0, 255).byte() if self.rounds else image).numpy()
        size = image.shape[:2]
        packed = self.pipeline(dict(item, img=image, img_shape=size, ori_shape=size))
        sample = packed['data_samples']
        # T divides by scale_factor and fills ori_shape
        height, width = target = tuple(lr.shape[-2:]) if coords == 'lr' else size
        factor = sample.metainfo.get('scale_factor', (1.0, 1.0))
        factor = (factor[0] * size[1] / width, factor[1] * size[0] / height)
        if 'gt_sem_seg' in sample:
            target = tuple(sample.gt_sem_seg.shape)
        sample.set_metainfo(dict(ori_shape=target, scale_factor=factor))
        return packed


def lr_image(image: np.ndarray) -> Tensor:
    """h x w x 3, uint8, BGR to 3 x h x w in [0, 1], RGB."""
    return torch.from_numpy(np.ascontiguousarray(image[..., ::-1])).permute(2, 0, 1).float() / 255
