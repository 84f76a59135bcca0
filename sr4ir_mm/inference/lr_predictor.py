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
    """The way from an LR image to a prediction.

    The SR network receives the image as it is. The task network's own test pipeline continues with the result, as if it
    had loaded it. So objects have the size that the authors of the task network test with, whatever the size of the LR
    image. Annotations are loaded last: they stay in the coordinates that they were made in.

    Args:
        model (SR4IR): Model, not wrapped, in eval mode.
        pipeline (Sequence[dict]): Test pipeline of the task network.
        annotations (bool): Whether to keep the pipeline's steps that load annotations.
        tile (int): Longest side, in LR pixels, that goes through the SR network in one piece; see :func:`tiled`.

    Example:
        >>> (sample,) = LRPredictor(model, test_pipeline)([dict(img=cv2.imread('lr.png'), img_path='lr.png', img_id=0)])
    """

    def __init__(self, model: SR4IR, pipeline: Sequence[dict], annotations: bool = False, tile: int = 256) -> None:
        steps = [dict(step) for step in pipeline]
        loads = [step for step in steps if 'Load' in type_name(step['type'])]
        (*steps, pack) = [step for step in steps if step not in loads]
        loads = [step for step in loads if annotations and 'LoadImage' not in type_name(step['type'])]
        self.pipeline = Compose([TRANSFORMS.build(step) for step in [*steps, *loads, pack]])
        # Pillow, the backend of these two, takes 8 bits only; else the SR image stays as exact as in training
        self.rounds = any(step.get('backend') == 'pillow' or 'torchvision' in str(step['type']) for step in steps)
        self.model = model
        self.tile = tile

    @torch.no_grad()
    def __call__(self, items: Sequence[dict], coords: str = 'lr') -> list:
        """Predict images of any sizes.

        Args:
            items (Sequence[dict]): For each image ``img``, h x w x 3, uint8, BGR, and what else the pipeline reads.
            coords (str): Coordinates of the predictions: 'lr', those of the LR image, or 'sr', ``scale`` times as
                large. Maps of classes take the size of their ground truth, if they have one.

        Returns:
            list: Data samples of the task network, which also hold ``lr`` and ``task_input`` (what the task network
            received), 3 x H x W in [0, 1], RGB.
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
        """Make what the task network receives, tile by tile if the image is large; see :meth:`SR4IR.upsample`.

        Args:
            lr (Tensor): LR images, N x 3 x h x w, [0, 1], RGB.

        Returns:
            Tensor: N x 3 x (scale h) x (scale w), about [0, 1], on the CPU; the image itself under 'H->T'.
        """
        lr = lr.to(next(self.model.parameters()).device)
        if self.model.scheme.test_input == 'sr' and max(lr.shape[-2:]) > self.tile:
            return tiled(self.model.sr, lr, self.model.scale, self.tile)
        return self.model.upsample(lr).cpu()

    @torch.no_grad()
    def run_task(self, items: Sequence[dict], lr: Tensor, task_inputs: Tensor, coords: str) -> list:
        """Run the task network on images of one size.

        Args:
            items (Sequence[dict]): Images and their data, see :meth:`__call__`.
            lr (Tensor): LR images, N x 3 x h x w, [0, 1], RGB.
            task_inputs (Tensor): What :meth:`upsample` made of them, N x 3 x H x W.
            coords (str): Coordinates of the predictions, 'lr' or 'sr'.

        Returns:
            list: Data samples of the task network with ``lr`` and ``task_input``.
        """
        if coords == 'sr' and 'height' in items[0]:  # of the HR image: an SR image has up to scale - 1 pixels more
            task_inputs = task_inputs[..., : items[0]['height'], : items[0]['width']]
        packed = [self._pack(item, *images, coords) for item, *images in zip(items, lr, task_inputs)]
        if self.model.scheme.uses_task_net:
            samples = self.model.task.test_step(pseudo_collate(packed))
        else:
            samples = [entry['data_samples'] for entry in packed]
        for sample, *images in zip(samples, lr, task_inputs):
            sample.set_data(dict(zip(('lr', 'task_input'), images)))
        return samples

    def _pack(self, item: dict, lr: Tensor, task_input: Tensor, coords: str) -> dict:
        image = task_input.permute(1, 2, 0).flip(-1).mul(255)
        image = (image.round().clamp(0, 255).byte() if self.rounds else image).numpy()
        size = image.shape[:2]
        packed = self.pipeline(dict(item, img=image, img_shape=size, ori_shape=size))
        sample = packed['data_samples']
        # the task network divides boxes by scale_factor and resizes maps to ori_shape
        height, width = target = tuple(lr.shape[-2:]) if coords == 'lr' else size
        factor = sample.metainfo.get('scale_factor', (1.0, 1.0))
        factor = (factor[0] * size[1] / width, factor[1] * size[0] / height)
        if 'gt_sem_seg' in sample:
            target = tuple(sample.gt_sem_seg.shape)
        sample.set_metainfo(dict(ori_shape=target, scale_factor=factor))
        return packed


def lr_image(image: np.ndarray) -> Tensor:
    """Convert h x w x 3, uint8, BGR to 3 x h x w in [0, 1], RGB."""
    return torch.from_numpy(np.ascontiguousarray(image[..., ::-1])).permute(2, 0, 1).float() / 255
