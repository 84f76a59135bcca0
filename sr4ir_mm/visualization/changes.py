"""The windows in which two predictions differ, and the pictures of what lies in them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

import numpy as np
from mmengine.structures import BaseDataElement
from mmengine.visualization import Visualizer

from .crops import Window
from .drawing import draw_sample, labels_whole_images
from .parts import WIDTH, can_crop, draw_part
from .texts import SMALLEST
from .windows import changed_pixels, labeled_pixels, top_windows

#: width of the frame of a window, px
FRAME = 4
SampleOnImage = tuple[BaseDataElement, np.ndarray]  # a data sample and the image that it is drawn on


def find_windows(visualizer: Visualizer, first: SampleOnImage, second: SampleOnImage, count: int) -> list[Window]:
    """Find the windows where the predictions of two samples differ most.

    Args:
        visualizer (Visualizer): Visualizer of the task network.
        first (SampleOnImage): A sample and its image.
        second (SampleOnImage): Another one for the same image.
        count (int): Largest number of windows.
    """
    canvas = np.full_like(first[1], 128)  # on the same canvas, only the predictions can differ
    with nullcontext() if labels_whole_images(visualizer) else _without_labels(visualizer):  # scores are no change
        pictures = [
            draw_sample(visualizer, canvas, sample, scores=False, draw_gt=False, draw_pred=True)
            for sample, _ in (first, second)
        ]
    if not labels_whole_images(visualizer):
        changed = changed_pixels(*pictures).reshape(-1, *canvas.shape[:2]).max(0)  # depth is drawn below the image
        classes = (visualizer.dataset_meta or {}).get('classes')
        return top_windows(changed * labeled_pixels(first[0], canvas.shape[:2], classes), count)
    if np.array_equal(*pictures):
        return []
    # a class has no place in the image: take where the images themselves differ
    return top_windows(np.abs(first[1].astype(np.float32) - second[1]).mean(2) / 255, count)


def draw_windows(
    visualizer: Visualizer, windows: Sequence[Window], *predictions: SampleOnImage, truth: SampleOnImage
) -> list[list[np.ndarray]]:
    """Draw what lies in windows, with labels of their own.

    Args:
        visualizer (Visualizer): Visualizer of the task network.
        windows (Sequence[Window]): Rows and columns of the images.
        *predictions (SampleOnImage): Samples with predictions to draw, and their images.
        truth (SampleOnImage): Sample with the ground truth to draw, and its image.

    Returns:
        list[list[np.ndarray]]: For each window the pictures, H x W x 3, uint8, RGB; nothing if the visualizer is one of
        a user, which may draw any field of a sample.
    """
    if not can_crop(visualizer, truth[0]):
        return []
    if labels_whole_images(visualizer):  # a label is not of a place
        return [[image[window] for _, image in (*predictions, truth)] for window in windows]
    visualizer.smallest_text, visualizer.text_margin = SMALLEST, FRAME + 1  # a frame comes around them
    jobs = [(image, sample, False) for sample, image in predictions] + [(truth[1], truth[0], True)]
    return [[draw_part(visualizer, *job, window, WIDTH) for job in jobs] for window in windows]


@contextmanager
def _without_labels(visualizer: Visualizer) -> Iterator[None]:
    visualizer.draw_texts = lambda *args, **kwargs: visualizer
    try:
        yield
    finally:
        del visualizer.draw_texts
