"""Predictions on images that are low-resolution already."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import SR4IRError
from ..models import SR4IR
from ..utils import check_number, unwrap
from ..utils.precision import mixed_precision
from .merging import merge
from .slices import make_slices, own_windows, slides, without_resize
from .small_images import explain_small
from .task_pipeline import Size, TaskPipeline
from .tiling import tiled

#: largest number of pixels of an SR image, unless another is asked for: 6 GB as the float image that it is at first
MAX_PIXELS = 2**29


class LRPredictor:
    """The way from an LR image to a prediction.

    If the task network's own test pipeline leaves an SR image as it is, apart from padding, the prediction is that of a
    test on HR images which has the same LR image: padding comes before the SR network, and the SR image is not rounded.
    Else, e.g. if it resizes the image, the SR network receives the image as it is, and the pipeline continues with the
    result, as if it had loaded it. So objects have the size that the authors of the task network test with, whatever
    the size of the LR image.

    Args:
        model (SR4IR): Model, not wrapped, in eval mode.
        pipeline (Sequence[dict]): Test pipeline of the task network.
        annotations (bool): Whether to keep the pipeline's steps that load annotations.
        tile (int): Longest side, in LR pixels, that goes through the SR network in one piece; see :func:`tiled`.
        max_pixels (int): Largest number of pixels of an SR image.
        amp (bool): Whether the networks compute in mixed precision, see ``mixed_precision``. SR images, their
            normalization and predictions stay in float32.
        slice_size (int, optional): Side, in SR pixels, of slices that the task network receives, too, and whose objects
            are merged with those of the whole image; or of its own windows if it predicts a map of classes. Its
            pipeline resizes each slice, but an image of which windows are cut keeps its size. None for whole images.
        slice_overlap (float, optional): Share of a side that neighboring slices have in common; 0.2 by default.

    Raises:
        SR4IRError: If a number is wrong, or slices make no sense for the task network.

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
        amp: bool = False,
        slice_size: int | None = None,
        slice_overlap: float | None = None,
    ) -> None:
        check_number('LRPredictor', low=1, whole=True, tile=tile, max_pixels=max_pixels)
        self.model = model
        self.task_pipeline = TaskPipeline(model.data_preprocessor, pipeline, annotations)
        self.tile = tile
        self.max_pixels = max_pixels
        self.amp = amp
        self.slices = make_slices(model, slice_size, slice_overlap)
        self.slides = self.slices is not None and slides(unwrap(model.task))
        if self.slices:
            steps = without_resize(pipeline) if self.slides else pipeline
            self.slice_pipeline = TaskPipeline(model.data_preprocessor, steps, annotations and self.slides)

    def __call__(self, items: Sequence[dict], coords: str = 'lr') -> list:
        """Predict images of any sizes.

        Args:
            items (Sequence[dict]): For each image ``img``, h x w x 3, uint8, BGR, and what else the pipeline reads.
            coords (str): Coordinates of the predictions: 'lr', those of the LR image, or 'sr', ``scale`` times as
                large. Maps of classes take the size of their ground truth, if they have one.

        Returns:
            list: Data samples of the task network, which also hold ``lr`` and ``task_input`` (what the task network
            received, without padding), 3 x H x W in [0, 1], RGB.

        Raises:
            SR4IRError: If an SR image would have more than ``max_pixels``, is too small for the task network, or an
                image is not that of its annotations.
        """
        return [sample for (sample,) in self.predict(items, coords)]

    @torch.no_grad()
    def predict(self, items: Sequence[dict], *coords: str) -> list[list]:
        """Predict in several coordinates with one run of the SR network; see :meth:`__call__`.

        Returns:
            list[list]: For each image, a data sample for each of the ``coords``.
        """
        check_coords(*coords)
        groups = defaultdict(list)  # images of one size, also that of their SR images, make a batch
        for index, item in enumerate(items):
            groups[item['img'].shape, self._size(item, coords[0])].append(index)
        results: list[Any] = [None] * len(items)
        for (_, size), group in groups.items():
            lr = torch.stack([lr_image(items[i]['img']) for i in group])
            for i, row in zip(group, self._predict([items[i] for i in group], lr, size, coords)):
                results[i] = row
        return results

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
        """
        lr = lr.to(next(self.model.parameters(), lr).device)  # exported files have none
        with mixed_precision(lr.device, self.amp):
            if self.model.scheme.test_input == 'sr' and max(lr.shape[-2:]) > self.tile:
                return tiled(self.model.sr, lr, self.model.scale, self.tile)
            return self.model.upsample(lr).float().cpu()

    def _predict(self, items: Sequence[dict], lr: Tensor, size: Size, coords: Sequence[str]) -> list[tuple]:
        """Predict images of one size, whose SR images are of another one."""
        uses_task_net = self.model.scheme.uses_task_net
        is_cut = self.slices is not None and self.slices.cut(size)
        windows = self.slices if is_cut and self.slides else None
        pipeline = self.slice_pipeline if windows else self.task_pipeline
        padded = pipeline.pad(items, lr, size, self.scale) if uses_task_net else None
        sr = self.upsample(padded[0] if padded else lr)
        task_inputs = sr[..., : size[0], : size[1]]  # SR images have up to scale - 1 px more
        results = []
        packed = padded[2] if padded else None
        for name in coords:
            target = (tuple(lr.shape[-2:]), self.scale) if name == 'lr' else (size, 1)
            if uses_task_net:
                batch = pipeline.batch(items, padded[1] if padded else task_inputs, *target, packed)
                packed = None  # the task network writes into it
                explained = explain_small(items[0].get('img_path', ''), size[1], size[0])
                with explained, own_windows(self.model.task, windows):
                    samples = self._run_task(batch, sr if padded else None)
                    if is_cut and not self.slides:
                        self._add_slices(samples, items, task_inputs, *target)
            else:
                samples = [entry['data_samples'] for entry in pipeline.pack(items, task_inputs, *target)]
            for sample, *images in zip(samples, lr, task_inputs):
                sample.set_data(dict(zip(('lr', 'task_input'), images)))
            results.append(samples)
        return list(zip(*results))

    def _add_slices(self, samples: Sequence, items: Sequence[dict], images: Tensor, size: Size, ratio: int) -> None:
        """Merge the objects of whole images with those of their slices; arguments as of :meth:`TaskPipeline.batch`."""
        windows = self.slices.windows(images.shape[-2:], self.scale)
        found = [[sample.pred_instances.cpu()] for sample in samples]
        for left, top, right, bottom in windows:
            target = -(-(bottom - top) // ratio), -(-(right - left) // ratio)
            batch = self.slice_pipeline.batch(items, images[..., top:bottom, left:right], target, ratio)
            for objects, sample in zip(found, self._run_task(batch, None)):
                objects.append(sample.pred_instances.cpu())
        places = [(0, 0, *size[::-1]), *(tuple(-(-side // ratio) for side in window) for window in windows)]
        for sample, objects in zip(samples, found):
            sample.pred_instances = merge(objects, places, size)

    def _run_task(self, batch: dict, sr: Tensor | None) -> list:
        """Run the task network on a batch; ``sr`` are padded SR images to take the place of its images."""
        inputs = batch['inputs']
        if sr is not None and self.model.scheme.test_input != 'hr':
            height, width = inputs.shape[-2:]
            inputs = self.model.data_preprocessor.normalize(sr[..., :height, :width].to(inputs.device))
        with mixed_precision(inputs.device, self.amp):
            return self.model.run_task(inputs, batch['data_samples'], 'predict')

    def _size(self, item: dict, coords: str) -> Size:
        """Return the height and width of an SR image: those that the annotations give, if they belong to the image."""
        lr = item['img'].shape[:2]
        sr = tuple(side * self.scale for side in lr)
        if sr[0] * sr[1] > self.max_pixels:
            raise SR4IRError(
                f'An LR image of {lr[1]} x {lr[0]} px makes an SR image of {sr[1]} x {sr[0]} px, but at most '
                f'{self.max_pixels:,} pixels are allowed: cut it into pieces, or raise max_pixels.'
            )
        if not item.get('height') or not item.get('width'):
            return sr
        size = (item['height'], item['width'])
        wanted, tolerance = (lr, 1) if coords == 'lr' else (sr, self.scale)
        if all(abs(side - other) < tolerance for side, other in zip(size, wanted)):
            return tuple(map(min, size, sr)) if coords == 'sr' else sr
        raise SR4IRError(
            f"image '{item.get('img_path')}' has {lr[1]} x {lr[0]} px, but its annotations are for an image of "
            f'{size[1]} x {size[0]} px, not {wanted[1]} x {wanted[0]}: choose another --lr-input (hr or lr), or '
            "correct 'height' and 'width' in the annotations."
        )


def check_coords(*coords: str) -> None:
    """Check names of coordinates.

    Raises:
        SR4IRError: If one is neither 'lr' nor 'sr'.
    """
    for name in coords:
        if name not in ('lr', 'sr'):
            raise SR4IRError(f"coords={name!r} must be 'lr', the LR image, or 'sr', the SR image.")


def lr_image(image: np.ndarray) -> Tensor:
    """Convert h x w x 3, uint8, BGR to 3 x h x w in [0, 1], RGB."""
    return torch.from_numpy(np.ascontiguousarray(image[..., ::-1])).permute(2, 0, 1).float() / 255
