"""Where two pictures of decisions differ most."""

import cv2
import numpy as np

#: A window is shown if at least this share of it has changed.
LEAST = 0.002


def change(first: np.ndarray, second: np.ndarray, reach: int = 3) -> np.ndarray:
    """Where one picture shows what the other has nowhere near: borders that moved by a pixel are no other decision.

    Args:
        first (np.ndarray): H x W x 3, uint8.
        second (np.ndarray): Of the same shape.
        reach (int): What counts as near, in px.

    Returns:
        np.ndarray: H x W, float32, 0 or 1.
    """
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)

    def beyond(picture: np.ndarray, other: np.ndarray) -> np.ndarray:
        above, below = cv2.subtract(picture, cv2.dilate(other, kernel)), cv2.subtract(cv2.erode(other, kernel), picture)
        return np.maximum(above, below).max(2)

    return (np.maximum(beyond(first, second), beyond(second, first)) > 16).astype(np.float32)


def top_windows(weights: np.ndarray, count: int, fraction: int = 3) -> list[tuple[slice, slice]]:
    """The windows in which a map is greatest.

    Args:
        weights (np.ndarray): H x W, float32, 0 to 1.
        count (int): How many windows at most; a later one is of another place than those before.
        fraction (int): The image is so many times as high and as wide as a window.

    Returns:
        list[tuple[slice, slice]]: Rows and columns of each, the greatest first; only those with a mean of at least
        ``LEAST``.
    """
    weights = weights.copy()
    height, width = (max(1, side // fraction) for side in weights.shape)
    windows = []
    while len(windows) < count:
        # twice half a window is a tent, so that what changed comes to lie in the middle
        half = -(-width // 2), -(-height // 2)
        means = cv2.boxFilter(weights, -1, half, borderType=cv2.BORDER_CONSTANT)
        anchor = tuple((side - 1) // 2 for side in half)  # undoes the shift by the first of even sides
        means = cv2.boxFilter(means, -1, half, anchor=anchor, borderType=cv2.BORDER_CONSTANT)
        inside = means[height // 2 :, width // 2 :][: len(weights) - height + 1, : weights.shape[1] - width + 1]
        top, left = map(int, np.unravel_index(inside.argmax(), inside.shape))
        window = slice(top, top + height), slice(left, left + width)
        if weights[window].mean() < LEAST:
            break
        windows.append(window)
        # with a margin, or the next window shows the rest of this change
        y, x = height // 4, width // 4
        weights[max(0, top - y) : top + height + y, max(0, left - x) : left + width + x] = 0
    return windows
