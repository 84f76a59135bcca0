"""The images that a user names, whatever they are."""

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import mmengine
import numpy as np
from mmengine.fileio import list_dir_or_file

from ..errors import SR4IRError

SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp', '.ppm', '.pgm')
Inputs = str | Path | np.ndarray | Sequence[str | Path | np.ndarray]


def expand(inputs: Inputs) -> list[str | np.ndarray]:
    """Files, folders, globs, URLs and arrays as a list of files, URLs and arrays.

    Raises:
        SR4IRError: If a folder or glob has no image in it.
    """
    if isinstance(inputs, np.ndarray):
        return [inputs]
    if isinstance(inputs, (list, tuple)):
        return [image for entry in inputs for image in expand(entry)]
    name = str(inputs)
    if os.path.isdir(name):
        found = sorted(os.path.join(name, file) for file in list_dir_or_file(name, list_dir=False))
        found = [file for file in found if file.lower().endswith(SUFFIXES)]
    elif glob.has_magic(name) and not os.path.exists(name) and '://' not in name:
        found = sorted(filter(os.path.isfile, glob.glob(name, recursive=True)))
    else:
        return [name]
    if not found:
        raise SR4IRError(f"There is no image in '{name}'; files of these kinds count: {', '.join(SUFFIXES)}.")
    return found


def read(image: str | np.ndarray) -> np.ndarray:
    """Any image as h x w x 3, uint8, BGR: gray is repeated, an alpha channel dropped, 16 bits become 8.

    Args:
        image (str or np.ndarray): File, URL, or an array h x w, h x w x 1, h x w x 3 (BGR) or h x w x 4 (BGRA), uint8
            or uint16.

    Raises:
        SR4IRError: If it cannot be read; the message does not name it.
    """
    if isinstance(image, str):
        try:
            data = np.frombuffer(mmengine.fileio.get(image), np.uint8)
        except OSError as error:  # also those of URLs
            raise SR4IRError(f'cannot be read ({error})') from error
        decoded = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None  # turned as its EXIF data say
        if decoded is None:
            raise SR4IRError('is not an image that OpenCV can decode: damaged, empty, or of another kind')
        return decoded
    if image.dtype == np.uint16:
        image = (image / 257).round().astype(np.uint8)
    image = image[..., None] if image.ndim == 2 else image
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (1, 3, 4) or not image.size:
        raise SR4IRError(f'is an array of {image.dtype} and shape {image.shape}, not h x w x 3 of uint8')
    return np.ascontiguousarray(np.broadcast_to(image[..., :3], (*image.shape[:2], 3)))


def names(images: Sequence[str | np.ndarray]) -> Iterator[str]:
    """A name without suffix for what is written of each image, no name twice."""
    used: set[str] = set()
    for index, image in enumerate(images):
        stem = Path(image.partition('?')[0]).stem if isinstance(image, str) else f'{index:06d}'
        name, count = stem, 1
        while name in used:
            count += 1
            name = f'{stem}_{count}'
        used.add(name)
        yield name
