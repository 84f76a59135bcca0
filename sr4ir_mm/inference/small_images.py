"""Images in which a network fails, most of all because they are too small for it."""

import os
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import SR4IRError

#: what PyTorch says when a convolution, a pooling or a padding has nothing left to work on
_TOO_SMALL = re.compile("Kernel size can't be greater|Output size is too small|Padding size should be less")


class TooSmallImage(SR4IRError):
    """An SR image is too small for the task network; ``reason`` continues the name of the image."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"image '{path}' {reason}")
        self.reason = reason


def failure(error: Exception) -> str:
    """Return why an image has no result because of an error; it continues the name of the image."""
    if isinstance(error, TooSmallImage):
        return error.reason
    if os.environ.get('SR4IR_TRACEBACK'):
        traceback.print_exception(error)
    if isinstance(error, SR4IRError):
        return f'has no result: {error}'
    if isinstance(error, MemoryError) or 'out of memory' in str(error) or "can't allocate memory" in str(error):
        return f'needs more memory than there is ({type(error).__name__}): set a smaller tile (--tile), or cut it'
    return f'has no result ({type(error).__name__}: {error})'


@contextmanager
def explain_small(path: str, width: int, height: int) -> Iterator[None]:
    """Name the image for which PyTorch says that an input is too small.

    Args:
        path (str): Name of the image.
        width, height (int): Size of its SR image in pixels.

    Raises:
        TooSmallImage: If the code inside raises that error.
    """
    try:
        yield
    except RuntimeError as error:
        if not _TOO_SMALL.search(str(error)):
            raise
        reason = f'makes an SR image of {width} x {height} px, which is too small for the task network ({error})'
        raise TooSmallImage(path, reason) from error
