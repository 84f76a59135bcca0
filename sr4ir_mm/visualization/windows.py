"""The windows of an image in which two predictions differ most."""

from collections.abc import Sequence

import cv2
import numpy as np
from mmengine.structures import BaseDataElement

#: A window is shown if at least this share of its pixels has changed.
MIN_SHARE = 0.002


def changed_pixels(first: np.ndarray, second: np.ndarray, reach: int = 3) -> np.ndarray:
    """Mark where one picture shows what the other does not show nearby.

    A border that moved by a pixel is not another prediction.

    Args:
        first (np.ndarray): Drawn prediction, H x W x 3, uint8.
        second (np.ndarray): Other drawn prediction, of the same shape.
        reach (int): Distance up to which a pixel is nearby, in px.

    Returns:
        np.ndarray: H x W, float32, 0 or 1.
    """
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)

    def beyond(picture: np.ndarray, other: np.ndarray) -> np.ndarray:
        above, below = cv2.subtract(picture, cv2.dilate(other, kernel)), cv2.subtract(cv2.erode(other, kernel), picture)
        return np.maximum(above, below).max(2)

    return (np.maximum(beyond(first, second), beyond(second, first)) > 16).astype(np.float32)


def labeled_pixels(sample: BaseDataElement, size: tuple[int, int], classes: Sequence[str] | None = None) -> np.ndarray:
    """Mark the pixels whose class the ground truth knows: nothing says which prediction is right in the others.

    Args:
        sample (BaseDataElement): Data sample.
        size (tuple[int, int]): Height and width of the result.
        classes (Sequence[str], optional): Classes of the ground truth; values beyond them are unlabeled, as is 255.

    Returns:
        np.ndarray: H x W, float32, 0 or 1; 1 everywhere if the sample has no map of classes.
    """
    if 'gt_sem_seg' not in sample:
        return np.ones(size, np.float32)
    truth = np.asarray(sample.gt_sem_seg.cpu().values()[0])[0]
    known = (truth != 255) & (truth < (len(classes) if classes else np.inf))
    return cv2.resize(known.astype(np.float32), size[::-1], interpolation=cv2.INTER_NEAREST)


def top_windows(weights: np.ndarray, count: int, fraction: int = 3) -> list[tuple[slice, slice]]:
    """Find the windows with the largest mean.

    Args:
        weights (np.ndarray): Map of what changed, H x W, float32, 0 to 1.
        count (int): Largest number of windows. Each one lies in another place than those before.
        fraction (int): Height and width of the image, as multiples of those of a window.

    Returns:
        list[tuple[slice, slice]]: Rows and columns of each window, the one with the largest mean first; only those with
        a mean of at least ``MIN_SHARE``.
    """
    weights = weights.copy()
    height, width = (max(1, side // fraction) for side in weights.shape)
    windows = []
    while len(windows) < count:
        top, left = _best_corner(weights, height, width)
        window = slice(top, top + height), slice(left, left + width)
        if weights[window].mean() < MIN_SHARE:
            break
        windows.append(window)
        # with a margin, or the next window shows the rest of this change
        y, x = height // 4, width // 4
        weights[max(0, top - y) : top + height + y, max(0, left - x) : left + width + x] = 0
    return windows


def _best_corner(weights: np.ndarray, height: int, width: int) -> tuple[int, int]:
    """Find the top left corner of the window with the largest weighted mean, so that what changed is in its middle."""
    # a box filter of half the size, applied twice, weights the middle most
    half = -(-width // 2), -(-height // 2)
    means = cv2.boxFilter(weights, -1, half, borderType=cv2.BORDER_CONSTANT)
    anchor = tuple((side - 1) // 2 for side in half)  # undoes the shift by the first filter if a side is even
    means = cv2.boxFilter(means, -1, half, anchor=anchor, borderType=cv2.BORDER_CONSTANT)
    inside = means[height // 2 :, width // 2 :][: len(weights) - height + 1, : weights.shape[1] - width + 1]
    top, left = np.unravel_index(inside.argmax(), inside.shape)
    return int(top), int(left)
