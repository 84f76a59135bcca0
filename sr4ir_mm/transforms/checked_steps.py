"""Checks of images, masks and labels when a pipeline reads them; errors name the file."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import LoadAnnotations
from mmcv.transforms import LoadImageFromFile as _LoadImageFromFile
from PIL import Image, UnidentifiedImageError

from ..errors import SR4IRError
from ..utils import decode_image

#: how TIFF, PNM, JPEG 2000, OpenEXR and Radiance files begin, which may have more than 8 bits
_DEEP = (b'II', b'MM', b'P5', b'P6', b'PF', b'Pf', b'\x00\x00\x00\x0c', b'\xff\x4f', b'v/1\x01', b'#?')


class CheckedStep:
    """A step of a pipeline that reads files, with a check of what it has read.

    Args:
        step (Callable): Transform that loads images or annotations.
        classes (int): Number of classes that labels and masks may have; 0 if it is unknown.
        ignored (Sequence[int]): Values of a mask that stand for no class.
        semantic (bool): Whether masks hold the classes of the data set. mmdet also reads masks of other classes.
        source (str): List or folder of the data set, for messages.
        sizes (bool): Whether the annotations give the size of the image that is read.
    """

    def __init__(
        self,
        step: Any,
        classes: int = 0,
        ignored: Sequence[int] = (255,),
        semantic: bool = False,
        source: str = '',
        sizes: bool = False,
    ) -> None:
        self.step = step
        self.classes = classes
        self.allowed = {*range(classes), *ignored}
        self.semantic = semantic and classes > 0
        self.source = source
        self.sizes = sizes

    def __call__(self, results: dict) -> dict | None:
        """Run the step.

        Raises:
            SR4IRError: If a file is missing or broken, or a label or a mask does not fit the data set.
        """
        if isinstance(self.step, _LoadImageFromFile):
            path = str(results['img_path'])
            size = results.get('width'), results.get('height')
            results = read_image(path, self.step, results)
            if results is not None:
                self._check_label(results, path)
                if self.sizes and all(size):
                    self._check_size(size, results['img'].shape[1::-1], path)
            return results
        return self._read_annotations(results)

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
        with readable(str(mask), 'Mask') if mask else readable(f'annotations of {image}', 'The'):
            results = self.step(results)
        if mask and results is not None and results.get('gt_seg_map') is not None:
            self._check_mask(results, str(mask))
        return results

    def _check_label(self, results: dict, path: str) -> None:
        labels = np.atleast_1d(results.get('gt_label', ()))
        if self.classes and labels.dtype.kind in 'iu' and not set(labels.tolist()) <= set(range(self.classes)):
            raise SR4IRError(
                f"Image '{path}' has the label {labels.max() if labels.max() >= self.classes else labels.min()}, but "
                f'the data set has {self.classes} classes (0 to {self.classes - 1}): correct '
                f"'{self.source}' or metainfo.classes."
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
        if self.semantic:
            self._check_values(mask, path, bool(results.get('reduce_zero_label')))

    def _check_values(self, mask: np.ndarray, path: str, reduced: bool) -> None:
        if mask.dtype == np.uint8:  # a histogram takes a fraction of the time of decoding
            values = np.flatnonzero(cv2.calcHist([mask], [0], None, [256], [0, 256])).tolist()
        else:
            values = np.unique(mask).tolist()
        wrong = [value + reduced for value in values if value not in self.allowed]
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
    sizes = any(isinstance(step, LoadAnnotations) for step in transforms)
    for i, step in enumerate(transforms):
        if isinstance(step, (_LoadImageFromFile, LoadAnnotations)):
            transforms[i] = CheckedStep(step, sizes=sizes, **options)


@contextmanager
def readable(path: str, kind: str = 'Image') -> Iterator[None]:
    """Turn the errors of code that reads a file into one message with its name.

    Raises:
        SR4IRError: If the file is missing or cannot be decoded.
    """
    try:
        yield
    except SR4IRError:
        raise
    except FileNotFoundError as error:
        raise SR4IRError(f"{kind} '{path}' is missing: check data_prefix and the list of images.") from error
    except Exception as error:  # each decoder raises errors of its own, and none of them names the file
        raise SR4IRError(f"{kind} '{path}' cannot be decoded ({error}): replace or remove it.") from error


def read_image(path: str, step: Callable[[dict], dict | None], results: dict) -> dict | None:
    """Run a step that reads an image, and check that its pixels are of 8 bits, as the networks expect them.

    OpenCV divides 16 bits by 256, so that an image of 10 or 12 bits becomes black; of floats it makes garbage.

    Args:
        path (str): File or URL of the image.
        step (Callable): mmcv's ``LoadImageFromFile``, a subclass of it or its method.
        results (dict): What the step receives.

    Raises:
        SR4IRError: If the file is missing or cannot be decoded, or the range of its pixels is unknown.
    """
    if os.path.exists(path) and not os.path.isfile(path):  # reading a pipe may never end
        raise SR4IRError(f"Image '{path}' is not a file: replace or remove it.")
    if os.path.isfile(path) and _bits(path) > 8:
        with open(path, 'rb') as file:
            try:
                decode_image(file.read())
            except SR4IRError as error:
                raise SR4IRError(f"Image '{path}' {error}.") from error
    with readable(path):
        results = step(results)
    if results is not None and results['img'].dtype.kind in 'iu' and results['img'].dtype != np.uint8:
        raise SR4IRError(
            f"Image '{path}' is read as {results['img'].dtype}, but the networks expect 8 bits: load it with "
            "color_type='color' and imdecode_backend='cv2'."
        )
    return results


def _bits(path: str) -> int:
    """Return the bits per value of an image file from its first bytes; 16 for kinds of files that may have more."""
    with open(path, 'rb') as file:
        head = file.read(26)
    if head.startswith(b'\x89PNG') and len(head) == 26:
        return head[24]
    if head.startswith((b'II', b'MM')):
        with suppress(UnidentifiedImageError), Image.open(path) as image:  # reads the header
            return max(image.tag_v2.get(258, (8,)))
    return 16 if head.startswith(_DEEP) else 8


def _largest_of_16_bits(path: str) -> int:
    if not os.path.isfile(path) or _bits(path) <= 8:
        return 0
    with Image.open(path) as image:
        return int(np.asarray(image).max())
