"""Checks of images, masks and labels when a pipeline reads them; errors name the file."""

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from mmcv import transforms as mmcv_transforms
from PIL import Image

from ..errors import SR4IRError
from .loading import CheckedLoadImageFromFile, bits_of, read_image, readable


@dataclass(repr=False)
class CheckedStep:
    """A step of a pipeline that reads files, with a check of what it has read.

    Args:
        step (Callable): Transform that loads images or annotations.
        classes (int): Number of classes that labels and masks may have; 0 if it is unknown.
        ignored (Collection[int]): Values of a mask that stand for no class.
        semantic (bool): Whether masks hold the classes of the data set. mmdet also reads masks of other classes.
        source (str): List or folder of the data set, for messages.
        sizes (bool): Whether the annotations give the size of the image that is read.
    """

    step: Callable
    classes: int = 0
    ignored: Collection[int] = (255,)
    semantic: bool = False
    source: str = ''
    sizes: bool = False

    def __call__(self, results: dict) -> dict | None:
        """Run the step.

        Raises:
            SR4IRError: If a file is missing or broken, or a label or a mask does not fit the data set.
        """
        if isinstance(self.step, mmcv_transforms.LoadAnnotations):
            return self._read_annotations(results)
        path, size = str(results.get('img_path')), (results.get('width'), results.get('height'))
        # some steps only take over an array
        done = isinstance(self.step, CheckedLoadImageFromFile) or 'img_path' not in results
        results = self.step(results) if done else read_image(self.step, self.step, results)
        if results is not None:
            self._check_label(results, path)
            if self.sizes and all(size):
                self._check_size(size, results['img'].shape[1::-1], path)
        return results

    def __repr__(self) -> str:
        return repr(self.step)

    def _read_annotations(self, results: dict) -> dict | None:
        image, mask = results.get('img_path'), results.get('seg_map_path')
        if getattr(self.step, 'with_mask', False) and not (
            mask or all('mask' in i for i in results.get('instances', ()))
        ):
            raise SR4IRError(
                f"An object in image '{image}' has no mask (segmentation): add it, or remove the object from the list."
            )
        with readable(str(mask), 'Mask') if mask else readable(str(image), 'The annotations of'):
            results = self.step(results)
        if mask and results is not None and results.get('gt_seg_map') is not None:
            self._check_mask(results, str(mask))
        return results

    def _check_label(self, results: dict, path: str) -> None:
        labels = np.atleast_1d(results.get('gt_label', ()))
        if not self.classes or labels.dtype.kind not in 'iu':
            return
        if wrong := [label for label in labels.tolist() if not 0 <= label < self.classes]:
            raise SR4IRError(
                f"Image '{path}' has the label {wrong[0]}, but the data set has {self.classes} classes (0 to "
                f"{self.classes - 1}): correct '{self.source}' or metainfo.classes."
            )

    def _check_size(self, annotated: tuple[int, int], real: tuple[int, int], path: str) -> None:
        """Check the size that annotations give; a turned image or a few pixels may come from other software."""
        if not any(all(0.9 < a / b < 1.1 for a, b in zip(annotated, size)) for size in (real, real[::-1])):
            raise SR4IRError(
                f"Image '{path}' has {real[0]} x {real[1]} px, but '{self.source}' gives its size as {annotated[0]} x "
                f'{annotated[1]}, so that boxes do not fit: use the images that the annotations were made for.'
            )

    def _check_mask(self, results: dict, path: str) -> None:
        mask, size = results['gt_seg_map'], results.get('ori_shape')
        if mask.ndim == 3:
            raise SR4IRError(
                f"Mask '{path}' has {mask.shape[2]} channels, but a mask needs one, whose values are the numbers of "
                'the classes: convert its colors to numbers.'
            )
        if size is not None and mask.shape != tuple(size[:2]):
            raise SR4IRError(
                f"Mask '{path}' has {mask.shape[1]} x {mask.shape[0]} px, but its image has {size[1]} x {size[0]} px: "
                'make both of one size.'
            )
        if path.lower().endswith(('.jpg', '.jpeg')) and self.semantic:
            raise SR4IRError(f"Mask '{path}' is a JPEG file, which changes the numbers of the classes: save it as PNG.")
        if self.semantic and self.classes:
            self._check_values(mask, path, bool(results.get('reduce_zero_label')))

    def _check_values(self, mask: np.ndarray, path: str, reduced: bool) -> None:
        if mask.dtype == np.uint8:  # a histogram takes a fraction of the time of decoding
            values = np.flatnonzero(cv2.calcHist([mask], [0], None, [256], [0, 256])).tolist()
        else:
            values = np.unique(mask).tolist()
        allowed = {*range(self.classes), *self.ignored}
        wrong = [value + reduced for value in values if value not in allowed]
        if (largest := _largest_of_16_bits(path)) > 255:
            wrong = [largest]  # mmseg keeps the lowest 8 bits of it
        if wrong:
            first, last = int(reduced), self.classes - 1 + reduced
            raise SR4IRError(
                f"Mask '{path}' has the value {wrong[-1]}, but the data set has {self.classes} classes ({first} to "
                f'{last}; 255 is ignored): correct the mask, metainfo.classes or reduce_zero_label (whether 0 stands '
                'for no class).'
            )


def add_checks(transforms: list, **options: Any) -> None:
    """Replace the steps of a pipeline that read files by checked ones, in place; ``options``: see the class."""
    # LR images have annotations of HR images: such pipelines only load images
    sizes = any(isinstance(step, mmcv_transforms.LoadAnnotations) for step in transforms)
    for i, step in enumerate(transforms):
        if isinstance(step, (mmcv_transforms.LoadImageFromFile, mmcv_transforms.LoadAnnotations)):
            transforms[i] = CheckedStep(step, sizes=sizes, **options)


def _largest_of_16_bits(path: str) -> int:
    if not os.path.isfile(path) or bits_of(path) <= 8:
        return 0
    with Image.open(path) as image:
        return int(np.asarray(image).max())
