"""Reading images of any kind that a user names."""

import glob
import io
import logging
import math
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote

import mmengine
import numpy as np
from mmengine.fileio.backends import prefix_to_backends
from mmengine.logging import print_log
from PIL import Image
from torch import Tensor

from ..errors import SR4IRError
from ..utils import decode_image, output_names, to_8_bits
from ..utils.names import IMAGE_SUFFIXES
from .arrays import to_arrays
from .limits import check_size, too_large
from .video import is_video, shown

SUFFIXES = IMAGE_SUFFIXES
# for all threads: the limit here is max_pixels, which is checked before images are decoded
warnings.filterwarnings('ignore', category=Image.DecompressionBombWarning)
Input = str | Path | int | np.ndarray | Tensor | Image.Image
Inputs = Input | Iterable[Input]


def list_images(
    inputs: Inputs, suffixes: tuple[str, ...] = SUFFIXES, recursive: bool = False, leave_out: str = ''
) -> list[str | np.ndarray]:
    """List the files, URLs and arrays that files, folders, globs, URLs, cameras, and images in memory stand for.

    Args:
        inputs (Inputs): One of these, see :func:`to_arrays` for images in memory; or any iterable of them.
        suffixes (tuple[str, ...]): Suffixes of the files that are listed of folders.
        recursive (bool): Whether to list the subfolders of folders too. Hidden ones and links are left out.
        leave_out (str): Subfolder that is not listed: that of the results.

    Raises:
        SR4IRError: If a folder or glob contains no image, or an entry is of another type.
    """
    if isinstance(inputs, (np.ndarray, Tensor, Image.Image)):
        return to_arrays(inputs)
    if isinstance(inputs, Iterable) and not isinstance(inputs, (str, bytes, dict)):
        return [image for entry in inputs for image in list_images(entry, suffixes, recursive, leave_out)]
    if not isinstance(inputs, (str, Path, int)):
        raise SR4IRError(
            'Images are files, folders, globs, URLs, arrays of NumPy, tensors, images of Pillow, or numbers of '
            f'cameras, not {type(inputs).__name__}.'
        )
    name = str(inputs)
    if name.startswith('file://'):
        name = unquote(name.removeprefix('file://').removeprefix('localhost'))  # a name may hold '?' and '#'
    if os.path.isdir(name):
        found = [file for file in _files_in(name, recursive, leave_out) if file.lower().endswith(suffixes)]
    elif glob.has_magic(name) and not os.path.exists(name) and '://' not in name:
        found = sorted(file for file in glob.glob(name, recursive=True) if not os.path.isdir(file))
    else:
        return [name]
    if not found:
        where = ' itself, without its subfolders' if os.path.isdir(name) and not recursive else ''
        raise SR4IRError(
            f"No image found in '{name}'{where}: put images with one of these suffixes there: {', '.join(suffixes)}."
        )
    return found


def skip(path: str, reason: str, skipped: dict[str, str]) -> None:
    """Log and note that an image or a video has no result; the reason continues its name."""
    skipped[path] = reason
    print_log(f'skipped: {describe(path)} {reason}', 'current', logging.WARNING)


def describe(path: str) -> str:
    """Return the name of an image or a video for messages."""
    source = re.sub(r'#\d+$', '', path)  # of a frame its video
    return f"{'video' if is_video(source) else 'image'} '{shown(path)}'"


def read_image(image: str | bytes | np.ndarray, max_pixels: float = math.inf) -> np.ndarray:
    """Read an image as h x w x 3, uint8, BGR: repeat gray, drop an alpha channel, reduce 16 bits to 8.

    Of several frames or pages the first one is read, with a warning.

    Args:
        image (str, bytes or np.ndarray): File, URL, content of a file, or an array h x w, h x w x 1, h x w x 3 (BGR) or
            h x w x 4 (BGRA), uint8 or uint16.
        max_pixels (float): Largest number of pixels. Of a file it is checked before the image is decoded.

    Raises:
        SR4IRError: If the image cannot be read. The message continues the name of the image, which it does not hold.
    """
    if isinstance(image, (str, bytes)):
        data = _read(image) if isinstance(image, str) else image
        _check_header(image if isinstance(image, str) else 'in memory', data, max_pixels)
        image = decode_image(data)
    image = image[..., None] if image.ndim == 2 else image
    known = image.dtype in (np.uint8, np.uint16) and image.ndim == 3 and image.shape[2] in (1, 3, 4) and image.size
    if not known:
        raise SR4IRError(f'is an array of {image.dtype} and shape {image.shape}, not h x w x 3 of uint8')
    check_size(image.shape[1], image.shape[0], max_pixels)
    image = to_8_bits(image[..., :3])
    return np.ascontiguousarray(np.broadcast_to(image, (*image.shape[:2], 3)))


def unique_names(images: Sequence[str | np.ndarray], folders: bool = False) -> list[str]:
    """Return a name without suffix for the results of each image, no name twice; see :func:`output_names`.

    Args:
        images (Sequence[str or np.ndarray]): Files, URLs, cameras and arrays.
        folders (bool): Whether the names of files hold their subfolders, if all images are files.
    """
    names = [shown(image) if isinstance(image, str) else f'{i:06d}' for i, image in enumerate(images)]
    return output_names(names, folders and all(map(os.path.exists, names)))


def _files_in(folder: str, recursive: bool, leave_out: str) -> Iterator[str]:
    for root, folders, files in os.walk(folder, onerror=_fail):
        yield from (os.path.join(root, file) for file in sorted(files) if not file.startswith('.'))
        paths = {name: os.path.realpath(os.path.join(root, name)) for name in folders if not name.startswith('.')}
        wanted = (name for name, path in paths.items() if not leave_out or path != os.path.realpath(leave_out))
        folders[:] = sorted(wanted) if recursive else []


def _fail(error: OSError) -> None:
    raise error


def _read(path: str) -> bytes:
    scheme = path.partition('://')[0] if '://' in path else ''
    if scheme.rpartition(':')[2] not in prefix_to_backends:  # those of MMEngine: http, https, s3, ...
        raise SR4IRError(f"has an address of the kind '{scheme}://', which cannot be read: download it first")
    if not scheme and os.path.exists(path) and not os.path.isfile(path):  # reading a pipe may never end
        raise SR4IRError('is a folder, a pipe or a device: copy the image to a file first')
    try:
        return mmengine.fileio.get(path)
    except OSError as error:  # URLs raise it, too
        raise SR4IRError(f'cannot be read ({error})') from error
    except Exception as error:  # backends of other addresses raise errors of their own, and ask for packages
        raise SR4IRError(f'cannot be read ({error}): download it first') from error


def _check_header(name: str, data: bytes, max_pixels: float) -> None:
    """Check the number of pixels, and warn of several frames. What Pillow does not know is left to the decoder."""
    try:
        image = Image.open(io.BytesIO(data))
        size, frames = image.size, getattr(image, 'n_frames', 1) if image.format in _FRAMES else 1
    except Image.DecompressionBombError as error:
        if max_pixels < 2 * Image.MAX_IMAGE_PIXELS:
            raise SR4IRError(too_large(f'more than {2 * Image.MAX_IMAGE_PIXELS:,} pixels', max_pixels)) from error
        return
    except Exception:  # a damaged header, or an unknown format: the decoder has the message
        return
    check_size(*size, max_pixels)
    if frames > 1:
        print_log(f"image '{name}' has {frames} frames or pages: only the first is used", 'current', logging.WARNING)


#: formats of Pillow with several frames; a phone's JPEG ('MPO') has an image and its parts
_FRAMES = ('GIF', 'PNG', 'TIFF', 'WEBP')
