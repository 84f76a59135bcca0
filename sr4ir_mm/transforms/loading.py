"""Reading images: errors name the file, and the pixels are of 8 bits, as the networks expect them."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import numpy as np
from mmcv.transforms import LoadImageFromFile as _LoadImageFromFile
from PIL import Image

from ..errors import SR4IRError
from ..registry import TRANSFORMS
from ..utils import decode_image

#: how TIFF, PNM, JPEG 2000, OpenEXR and Radiance files begin, which may have more than 8 bits
_DEEP = (b'II', b'MM', b'P5', b'P6', b'PF', b'Pf', b'\x00\x00\x00\x0c', b'\xff\x4f', b'v/1\x01', b'#?')


@TRANSFORMS.register_module()
class CheckedLoadImageFromFile(_LoadImageFromFile):
    """mmcv's ``LoadImageFromFile`` whose errors name the file; arguments as in mmcv.

    mmcv passes on the errors of its decoders, which do not say which of the images is broken.

    Raises:
        SR4IRError: If the file is missing, cannot be decoded as an image, or is of 10 or 12 bits or of floats.

    Example:
        >>> train_pipeline = [dict(type='sr4ir_mm.CheckedLoadImageFromFile'), dict(type='PackSegInputs')]
    """

    def transform(self, results: dict) -> dict | None:
        """Add ``img`` (H x W x 3, uint8, BGR) to the results, from their ``img_path``."""
        return read_image(self, super().transform, results)


def read_image(loader: _LoadImageFromFile, load: Callable[[dict], dict | None], results: dict) -> dict | None:
    """Load an image, and check that its pixels are of 8 bits.

    OpenCV divides 16 bits by 256, so that an image of 10 or 12 bits becomes black; of floats it makes garbage.

    Args:
        loader (LoadImageFromFile): Transform with the options.
        load (Callable): Its method that loads.
        results (dict): What the transform receives.

    Raises:
        SR4IRError: If the file is missing or cannot be decoded, or the range of its pixels is unknown.
    """
    path = str(results['img_path'])
    if os.path.exists(path) and not os.path.isfile(path):  # reading a pipe may never end
        raise SR4IRError(f"Image '{path}' is not a file: replace or remove it.")
    is_deep = os.path.isfile(path) and bits_of(path) > 8
    if is_deep:
        with open(path, 'rb') as file:
            try:
                decode_image(file.read())
            except SR4IRError as error:
                raise SR4IRError(f"Image '{path}' {error}.") from error
    with readable(path):
        results = load(results)
    cuts = is_deep and loader.imdecode_backend == 'pillow' and _is_cut_off(path)
    if results is not None and (cuts or not _is_8_bits(results['img'], is_deep)):
        raise SR4IRError(
            f"Image '{path}' has more than 8 bits, and is read with another range than 0 to 255: load it with "
            "color_type='color' and imdecode_backend='cv2'."
        )
    return results


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


def bits_of(path: str) -> int:
    """Return the bits per value of an image file from its first bytes; 16 for kinds of files that may have more."""
    with open(path, 'rb') as file:
        head = file.read(26)
    if head.startswith(b'\x89PNG') and len(head) == 26:
        return head[24]
    if head.startswith((b'II', b'MM')):
        # reads the header; what Pillow does not know, or finds too large, is left to the decoder
        with suppress(Exception), Image.open(path) as image:
            return max(image.tag_v2.get(258, (8,)))
    return 16 if head.startswith(_DEEP) else 8


def _is_8_bits(image: np.ndarray, is_deep: bool) -> bool:
    if image.dtype.kind == 'f':  # the loader's to_float32
        return not is_deep or image.max(initial=0) <= 255
    return image.dtype == np.uint8


def _is_cut_off(path: str) -> bool:
    """Return whether Pillow cuts the values of a gray image off at 255; those of colors it divides."""
    with readable(path), Image.open(path) as image:
        return image.mode.startswith(('I', 'F'))
