"""Largest number of pixels of an image."""

from ..errors import SR4IRError


def check_size(width: int, height: int, max_pixels: float) -> None:
    """Check the size of an image.

    Raises:
        SR4IRError: If it has more than ``max_pixels``. The message continues the image's name.
    """
    if width * height > max_pixels:
        raise SR4IRError(too_large(f'{width} x {height} pixels', max_pixels))


def too_large(size: str, max_pixels: float) -> str:
    """Return the message for an image of a size, such as '8000 x 6000 pixels'."""
    return f'has {size}, but at most {int(max_pixels):,} are allowed: cut it into pieces, or raise max_pixels'
