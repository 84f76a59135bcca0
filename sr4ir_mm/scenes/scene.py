"""What is predicted in windows."""

import hashlib
import os
from typing import Protocol

import cv2
import numpy as np

from ..inference.slices import Window


class Scene(Protocol):
    """An image that is read window by window.

    Attributes:
        size (tuple[int, int]): Height and width.
        identity (dict): Plain data that changes when the image, or how it is read, changes.
        broken (list[tuple[Window, str]]): Windows that could not be read, and the reasons.
    """

    size: tuple[int, int]
    identity: dict
    broken: list[tuple[Window, str]]

    def read(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """Return the image in a window, h x w x 3, uint8, BGR, and which of its pixels hold data, h x w, bool."""

    def overview(self, side: int) -> np.ndarray:
        """Return the whole image, at most ``side`` px long, h x w x 3, uint8, BGR."""


class ImageScene:
    """An image in memory, which takes 3 bytes for each pixel.

    Args:
        image (np.ndarray): LR image, h x w x 3, uint8, BGR.
        path (str): Its file, if there is one.
    """

    def __init__(self, image: np.ndarray, path: str = '') -> None:
        self.image = image
        self.size = image.shape[:2]
        digest = hashlib.sha256(image.data if image.flags.c_contiguous else image.tobytes()).hexdigest()
        self.identity = dict(path=os.path.abspath(path) if path else '', size=self.size, sha256=digest)
        self.broken: list[tuple[Window, str]] = []

    def read(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """See :class:`Scene`."""
        left, top, right, bottom = window
        return self.image[top:bottom, left:right], np.ones((bottom - top, right - left), bool)

    def overview(self, side: int) -> np.ndarray:
        """See :class:`Scene`."""
        factor = side / max(self.size)
        if factor >= 1:
            return self.image
        size = tuple(max(1, round(length * factor)) for length in self.size[::-1])
        return cv2.resize(self.image, size, interpolation=cv2.INTER_AREA)
