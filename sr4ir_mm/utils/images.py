"""Conversions of images, and image files."""

from pathlib import Path

import cv2
import numpy as np
from torch import Tensor

from ..errors import SR4IRError
from .files import write_file

#: OpenCV's own color conversion and EXIF orientation, but the file's own type of numbers
_OWN_DEPTH = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH


def to_uint8(image: Tensor) -> np.ndarray:
    """Convert 3 x H x W in [0, 1] to H x W x 3, uint8; values outside the range are clipped."""
    return image.mul(255).round().clamp(0, 255).byte().permute(1, 2, 0).cpu().numpy()


def write_image(path: str | Path, image: np.ndarray) -> None:
    """Write an image file, complete or not at all; see :func:`~sr4ir_mm.utils.files.new_file`.

    Args:
        path (str or Path): File; its suffix is the format.
        image (np.ndarray): H x W of 8 or 16 bits, or H x W x 3, uint8, RGB.

    Raises:
        SR4IRError: If the file cannot be written.
    """
    bgr = np.ascontiguousarray(image[..., ::-1] if image.ndim == 3 else image)
    try:
        done, data = cv2.imencode(Path(path).suffix, bgr)
    except cv2.error:
        done = False
    if not done:
        size = f'{image.shape[1]} x {image.shape[0]}'
        raise SR4IRError(f"'{path}' cannot be written: OpenCV has no such format, or it takes no image of {size} px.")
    write_file(path, data.tobytes())


def decode_image(data: bytes) -> np.ndarray:
    """Decode an image file as h x w x 3, uint8, BGR: turned by its EXIF orientation, without an alpha channel.

    Raises:
        SR4IRError: If it cannot be decoded, or its brightness is unknown. The message continues the image's name.
    """
    image = _decode(data, _OWN_DEPTH) if data else None
    if image is None:
        raise SR4IRError(_why_not(data))
    return to_8_bits(image)


def to_8_bits(image: np.ndarray) -> np.ndarray:
    """Reduce 16 bits to 8.

    Args:
        image (np.ndarray): Image of any shape, uint8 or uint16.

    Raises:
        SR4IRError: If the image has other numbers, or 16 bits of which only the lowest 12 are in use: it may have been
            made with 10, 11 or 12 bits. The message continues the image's name.
    """
    if image.dtype == np.uint8:
        return image
    if image.dtype != np.uint16:
        raise SR4IRError(f'has values of type {image.dtype}, whose range is unknown: save it with 8 or 16 bits')
    if 0 < (largest := int(image.max(initial=0))) < 4096:
        raise SR4IRError(
            f'has 16 bits, but no value above {largest}: is it of {max(largest.bit_length(), 10)} bits, or dark? '
            'Save it with 8 bits, or spread the values over all 16'
        )
    return (image / 257).round().astype(np.uint8)


def _decode(data: bytes, flags: int) -> np.ndarray | None:
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        if 'CV_IO_MAX' in str(error) or 'validateInputImageSize' in str(error):
            raise SR4IRError(
                'has more pixels than OpenCV decodes: set OPENCV_IO_MAX_IMAGE_PIXELS (2**30), or _WIDTH and _HEIGHT '
                '(2**20), in the environment, or cut the image into pieces'
            ) from error
        return None


def _why_not(data: bytes) -> str:
    unchanged = _decode(data, cv2.IMREAD_UNCHANGED) if data else None
    if unchanged is not None and unchanged.dtype != np.uint8:
        return f'has values of type {unchanged.dtype}, whose range is unknown: save it with 8 or 16 bits'
    return 'is not an image that OpenCV can decode: it is damaged, empty, or of another kind'
