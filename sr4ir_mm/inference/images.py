"""Reading images of any kind that a user names."""

import glob
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import mmengine
import numpy as np
from mmengine.fileio import list_dir_or_file
from mmengine.logging import print_log
from tqdm import tqdm

from ..errors import SR4IRError

SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp', '.ppm', '.pgm')
Inputs = str | Path | np.ndarray | Sequence[str | Path | np.ndarray]


def list_images(inputs: Inputs) -> list[str | np.ndarray]:
    """List the files, URLs and arrays that files, folders, globs, URLs and arrays stand for.

    Raises:
        SR4IRError: If a folder or glob contains no image.
    """
    if isinstance(inputs, np.ndarray):
        return [inputs]
    if isinstance(inputs, (list, tuple)):
        return [image for entry in inputs for image in list_images(entry)]
    name = str(inputs)
    if os.path.isdir(name):
        found = sorted(os.path.join(name, file) for file in list_dir_or_file(name, list_dir=False))
        found = [file for file in found if file.lower().endswith(SUFFIXES)]
    elif glob.has_magic(name) and not os.path.exists(name) and '://' not in name:
        found = sorted(filter(os.path.isfile, glob.glob(name, recursive=True)))
    else:
        return [name]
    if not found:
        suffixes = ', '.join(SUFFIXES)
        raise SR4IRError(f"No image found in '{name}': put images with one of these suffixes there: {suffixes}.")
    return found


def read_images(
    images: Sequence[str | np.ndarray], skipped: dict[str, str], show_progress: bool = True
) -> Iterator[tuple[str, dict]]:
    """Read images one after the other, and go on after one that cannot be read.

    Args:
        images (Sequence[str or np.ndarray]): Files, URLs and arrays, see :func:`read_image`.
        skipped (dict): Receives the names of images that cannot be read, and the reasons.
        show_progress (bool): Whether to show a progress bar.

    Yields:
        tuple: A unique name for the results, and the image as an item for a pipeline.
    """
    for name, image in zip(unique_names(images), tqdm(images, 'Inference', disable=not show_progress)):
        path = image if isinstance(image, str) else name
        try:
            item = dict(img=read_image(image), img_path=path, img_id=0)
        except SR4IRError as error:
            skipped[path] = str(error)
            print_log(f"skipped: image '{path}' {error}", 'current', logging.WARNING)
        else:
            yield name, item


def read_image(image: str | np.ndarray) -> np.ndarray:
    """Read an image as h x w x 3, uint8, BGR: repeat gray, drop an alpha channel, reduce 16 bits to 8.

    Args:
        image (str or np.ndarray): File, URL, or an array h x w, h x w x 1, h x w x 3 (BGR) or h x w x 4 (BGRA), uint8
            or uint16.

    Raises:
        SR4IRError: If the image cannot be read. The message continues the name of the image, which it does not hold.
    """
    if isinstance(image, str):
        return _decode(image)
    if image.dtype == np.uint16:
        image = (image / 257).round().astype(np.uint8)
    image = image[..., None] if image.ndim == 2 else image
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (1, 3, 4) or not image.size:
        raise SR4IRError(f'is an array of {image.dtype} and shape {image.shape}, not h x w x 3 of uint8')
    return np.ascontiguousarray(np.broadcast_to(image[..., :3], (*image.shape[:2], 3)))


def unique_names(images: Sequence[str | np.ndarray]) -> Iterator[str]:
    """Yield a name without suffix for the results of each image, no name twice."""
    used: set[str] = set()
    for index, image in enumerate(images):
        stem = Path(image.partition('?')[0]).stem if isinstance(image, str) else f'{index:06d}'
        name, count = stem, 1
        while name in used:
            count += 1
            name = f'{stem}_{count}'
        used.add(name)
        yield name


def _decode(path: str) -> np.ndarray:
    try:
        data = np.frombuffer(mmengine.fileio.get(path), np.uint8)
    except OSError as error:  # URLs raise it, too
        raise SR4IRError(f'cannot be read ({error})') from error
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None  # turned by its EXIF orientation
    if image is None:
        raise SR4IRError('is not an image that OpenCV can decode: it is damaged, empty, or of another kind')
    return image
