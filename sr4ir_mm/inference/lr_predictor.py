"""Predictions on images that are low-resolution already."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import TRANSFORMS
from torch import Tensor

from ..config.nodes import all_dicts, type_name
from ..errors import SR4IRError
from ..models import SR4IR
from ..utils import check_number
from .tiling import tiled

#: largest number of pixels of an SR image, unless another is asked for: 6 GB as the float image that it is at first
MAX_PIXELS = 2**29
#: steps that take float images of any range and leave the values as they are. All others receive the 8 bits that an
#: image file has: many convert to them, and a value beyond 255 becomes a dark one there
_FLOAT_STEPS = {
    'CenterCrop', 'EfficientNetCenterCrop', 'FixScaleResize', 'FixShapeResize', 'Normalize', 'Pad', 'RandomFlip',
    'Resize', 'ResizeEdge', 'ResizeShortestEdge', 'ResizeToMultiple', 'MultiScaleFlipAug', 'TestTimeAug',
}  # fmt: skip


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
        max_pixels (int): Largest number of pixels of an SR image.

    Raises:
        SR4IRError: If ``tile`` or ``max_pixels`` is not positive.

    Example:
        >>> (sample,) = LRPredictor(model, test_pipeline)([dict(img=cv2.imread('lr.png'), img_path='lr.png', img_id=0)])
    """

    def __init__(
        self,
        model: SR4IR,
        pipeline: Sequence[dict],
        annotations: bool = False,
        tile: int = 256,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        check_number('LRPredictor', low=1, whole=True, tile=tile, max_pixels=max_pixels)
        steps = [dict(step) for step in pipeline]
        loads = [step for step in steps if 'Load' in type_name(step['type'])]
        (*steps, pack) = [step for step in steps if step not in loads]
        images = [step for step in loads if 'LoadImage' in type_name(step['type'])]
        loads = [step for step in loads if annotations and step not in images]
        self.pipeline = Compose([TRANSFORMS.build(step) for step in [*steps, *loads, pack]])
        # else the SR image stays as exact as in training
        self.rounds = not all(map(_takes_floats, all_dicts(steps)))
        self.dtype = np.float32 if any(step.get('to_float32') for step in images) or not self.rounds else np.uint8
        self.model = model
        self.tile = tile
        self.max_pixels = max_pixels

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
        groups = defaultdict(list)  # images of one size, also that of their SR images, make a batch
        for index, item in enumerate(items):
            groups[item['img'].shape, self._annotated_size(item, coords)].append(index)
        samples: list[Any] = [None] * len(items)
        for (_, size), group in groups.items():
            lr = torch.stack([lr_image(items[i]['img']) for i in group])
            task_inputs = self.upsample(lr)
            if coords == 'sr' and size:  # an SR image has up to scale - 1 pixels more
                task_inputs = task_inputs[..., : size[0], : size[1]]
            for i, sample in zip(group, self.run_task([items[i] for i in group], lr, task_inputs, coords)):
                samples[i] = sample
        return samples

    @property
    def scale(self) -> int:
        """Factor between the sides of the LR image and of what the task network receives."""
        return 1 if self.model.scheme.test_input == 'hr' else self.model.scale

    @property
    def max_lr_pixels(self) -> int:
        """Largest number of pixels of an LR image."""
        return self.max_pixels // self.scale**2

    def upsample(self, lr: Tensor) -> Tensor:
        """Make what the task network receives, tile by tile if the image is large; see :meth:`SR4IR.upsample`.

        Args:
            lr (Tensor): LR images, N x 3 x h x w, [0, 1], RGB.

        Returns:
            Tensor: N x 3 x (scale h) x (scale w), about [0, 1], on the CPU; the image itself under 'H->T'.

        Raises:
            SR4IRError: If an SR image would have more than ``max_pixels``.
        """
        height, width = lr.shape[-2:]
        if height * width > self.max_lr_pixels:
            raise SR4IRError(
                f'An LR image of {width} x {height} px makes an SR image of {width * self.scale} x '
                f'{height * self.scale} px, but at most {self.max_pixels:,} pixels are allowed: cut it into pieces, or '
                'raise max_pixels.'
            )
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
        packed = [self._pack(item, *images, coords) for item, *images in zip(items, lr, task_inputs)]
        if self.model.scheme.uses_task_net:
            samples = self.model.task.test_step(pseudo_collate(packed))
        else:
            samples = [entry['data_samples'] for entry in packed]
        for sample, *images in zip(samples, lr, task_inputs):
            sample.set_data(dict(zip(('lr', 'task_input'), images)))
        return samples

    def _annotated_size(self, item: dict, coords: str) -> tuple[int, int] | None:
        """Return the height and width that an item's annotations give, if they belong to its image."""
        if not item.get('height') or not item.get('width'):
            return None
        size, lr = (item['height'], item['width']), item['img'].shape[:2]
        wanted, tolerance = (lr, 1) if coords == 'lr' else ([side * self.scale for side in lr], self.scale)
        if all(abs(side - other) < tolerance for side, other in zip(size, wanted)):
            return size
        raise SR4IRError(
            f"image '{item.get('img_path')}' has {lr[1]} x {lr[0]} px, but its annotations are for an image of "
            f'{size[1]} x {size[0]} px, not {wanted[1]} x {wanted[0]}: choose another --lr-input (hr or lr), or '
            "correct 'height' and 'width' in the annotations."
        )

    def _pack(self, item: dict, lr: Tensor, task_input: Tensor, coords: str) -> dict:
        image = task_input.permute(1, 2, 0).flip(-1).mul(255)
        image = (image.round().clamp(0, 255) if self.rounds else image).numpy().astype(self.dtype)
        size = image.shape[:2]
        height, width = target = tuple(lr.shape[-2:]) if coords == 'lr' else size
        # annotations are loaded in the size of what they were made on
        packed = self.pipeline(dict(item, img=image, img_shape=size, ori_shape=target))
        sample = packed['data_samples']
        # the task network divides boxes by scale_factor and resizes maps to ori_shape
        factor = sample.metainfo.get('scale_factor', (1.0, 1.0))
        factor = (factor[0] * size[1] / width, factor[1] * size[0] / height)
        if 'gt_sem_seg' in sample:
            target = tuple(sample.gt_sem_seg.shape)
        sample.set_metainfo(dict(ori_shape=target, scale_factor=factor))
        return packed


def _takes_floats(step: dict) -> bool:
    """Return whether a step, or options inside a step, leave the values of float images as they are."""
    if 'type' not in step:
        return True
    kind = str(getattr(step['type'], '__module__', '')) + str(step['type'])
    return type_name(step['type']) in _FLOAT_STEPS and step.get('backend') != 'pillow' and 'torchvision' not in kind


def lr_image(image: np.ndarray) -> Tensor:
    """Convert h x w x 3, uint8, BGR to 3 x h x w in [0, 1], RGB."""
    return torch.from_numpy(np.ascontiguousarray(image[..., ::-1])).permute(2, 0, 1).float() / 255
