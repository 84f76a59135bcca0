"""Pictures of data samples that are as wide as they are shown, so that labels are not enlarged with the pixels."""

import warnings

import numpy as np
from mmengine.structures import BaseDataElement
from mmengine.visualization import Visualizer
from PIL import Image

from .crops import Window, crop
from .drawing import draw_sample, draws_zoo_fields, labels_whole_images

#: width of the pictures in a rendered panel, px
WIDTH = 300


def draw_whole(visualizer: Visualizer, image: np.ndarray, sample: BaseDataElement, is_truth: bool) -> np.ndarray:
    """Draw a data sample; the pixels of an image that is narrower than a panel's become squares.

    Args:
        visualizer (Visualizer): Visualizer of the task network.
        image (np.ndarray): Image, H x W x 3, uint8, RGB, of the sample's ``ori_shape``.
        sample (BaseDataElement): Data sample.
        is_truth (bool): Whether to draw the ground truth; else the predictions.

    Returns:
        np.ndarray: H x W x 3, uint8, RGB, or a multiple of it.
    """
    height, width = image.shape[:2]
    if width >= WIDTH or not can_crop(visualizer, sample):
        return draw_sample(visualizer, image, sample, draw_gt=is_truth, draw_pred=not is_truth)
    window = slice(0, height), slice(0, width)
    return draw_part(visualizer, image, sample, is_truth, window, -(-WIDTH // width) * width)


def draw_part(
    visualizer: Visualizer, image: np.ndarray, sample: BaseDataElement, is_truth: bool, window: Window, width: int
) -> np.ndarray:
    """Draw what lies in a window of a data sample; other arguments as of :func:`draw_whole`.

    Args:
        window (Window): Rows and columns.
        width (int): Width of the picture in px.
    """
    image = image[window]
    height = max(1, round(width * image.shape[0] / image.shape[1]))
    picture = np.asarray(Image.fromarray(image).resize((width, height), Image.NEAREST))
    if not labels_whole_images(visualizer):
        sample = crop(sample, window, (height, width))
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', message='.*out of bounds')  # of boxes that reach beyond the window
        return draw_sample(visualizer, picture, sample, draw_gt=is_truth, draw_pred=not is_truth)


def can_crop(visualizer: Visualizer, sample: BaseDataElement) -> bool:
    """Return whether what is drawn of a sample is known: a user's visualizer draws any field, and depth is no label."""
    return draws_zoo_fields(visualizer) and not any(name.endswith('_depth_map') for name in sample.all_keys())
