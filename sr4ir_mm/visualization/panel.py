"""The pictures of a panel: one image from LR to HR, the predictions on it, and where the SR image changed them."""

from dataclasses import dataclass, field

import numpy as np
import torch.nn.functional as F
from matplotlib import colormaps
from mmengine.structures import BaseDataElement
from mmengine.visualization import Visualizer
from torch import Tensor

from ..utils import to_uint8
from .changes import draw_windows, find_windows
from .parts import WIDTH, draw_whole
from .texts import MARGIN, SMALLEST

#: names of what the task network receives at test time, by ``Scheme.test_input``
INPUT_NAMES = dict(sr='SR', bilinear='bilinear', hr='HR')
#: change of the error, in gray levels, at which the colors of the difference map end
COLOR_LIMIT = 64


@dataclass
class Panel:
    """Pictures by their titles, H x W x 3, uint8, RGB, of the size of the predictions (that of the original image).

    Those with labels are a multiple of it if the image is narrower than a panel's pictures.

    Args:
        images (dict[str, np.ndarray]): LR, bilinear, SR and HR image.
        drawn (dict[str, np.ndarray]): Pictures below them: difference map, predictions, ground truth.
        windows (list[tuple[slice, slice]]): Rows and columns where the predictions on SR and on bilinear differ.
        details (list[list[np.ndarray]]): For each window the pictures below those of ``drawn``, but for the first one;
            empty to enlarge parts of these.

    Example:
        >>> picture = render(make_panel(visualizer, sample, baseline))  # H x W x 3, uint8, RGB
    """

    images: dict[str, np.ndarray]
    drawn: dict[str, np.ndarray]
    windows: list[tuple[slice, slice]] = field(default_factory=list)
    details: list[list[np.ndarray]] = field(default_factory=list)


def make_panel(
    visualizer: Visualizer,
    sample: BaseDataElement,
    baseline: BaseDataElement | None = None,
    test_input: str = 'sr',
    crops: int = 2,
) -> Panel:
    """Draw one data sample.

    Args:
        visualizer (Visualizer): Visualizer of the task network, without backends.
        sample (BaseDataElement): Data sample with predictions, ``lr``, ``task_input`` (what the task network received)
            and, unless the data set is LR itself, ``hr``: each 3 x H x W in [0, 1], RGB.
        baseline (BaseDataElement, optional): The same sample with the predictions on bilinear up-sampling, which is
            its ``task_input``.
        test_input (str): What ``task_input`` is: 'sr', 'bilinear' (up-sampling) or 'hr'.
        crops (int): Largest number of windows.
    """
    size = set_size(visualizer, *sample.metainfo.get('ori_shape', sample.task_input.shape[-2:])[:2])
    lr, task_input = _uint8(sample, 'lr', size, 'nearest'), _uint8(sample, 'task_input', size)
    name = INPUT_NAMES[test_input]
    images = {'LR': lr, 'HR (task input)' if name == 'HR' else name: task_input}
    prediction = {f'prediction on {name}': _predictions(visualizer, task_input, sample)}
    if 'hr' not in sample:
        return Panel(images, _ground_truth(visualizer, lr, sample) | prediction)
    hr = _uint8(sample, 'hr', size)
    right = prediction | _ground_truth(visualizer, hr, sample)
    if baseline is None:
        return Panel(images | {'HR': hr}, {'': np.full_like(lr, 255)} | right)
    bilinear = _uint8(baseline, 'task_input', size)
    title, difference = difference_map(bilinear, task_input, hr)
    below = {title: difference, 'prediction on bilinear': _predictions(visualizer, bilinear, baseline)} | right
    pairs = (baseline, bilinear), (sample, task_input)
    windows = find_windows(visualizer, *pairs, crops)
    details = draw_windows(visualizer, windows, *pairs, truth=(sample, hr))
    return Panel({'LR': lr, 'bilinear': bilinear} | images | {'HR': hr}, below, windows, details)


def set_size(visualizer: Visualizer, height: int, width: int) -> tuple[int, int]:
    """Let a visualizer draw labels that are readable when a picture is made as wide as those of a panel.

    Returns:
        tuple[int, int]: The height and the width.
    """
    visualizer.smallest_text, visualizer.text_margin = SMALLEST * max(1.0, width / WIDTH), MARGIN
    return height, width


def difference_map(bilinear: np.ndarray, task_input: np.ndarray, hr: np.ndarray) -> tuple[str, np.ndarray]:
    """Color where ``task_input`` is closer to ``hr`` than ``bilinear`` is (blue), and where it is further away (red).

    Args:
        bilinear (np.ndarray): Bilinear up-sampling, H x W x 3, uint8.
        task_input (np.ndarray): What the task network received, H x W x 3, uint8.
        hr (np.ndarray): HR image, H x W x 3, uint8.

    Returns:
        tuple: A title with the mean decrease of the error in gray levels, and the picture, H x W x 3, uint8.
    """
    before, after = (np.abs(image.astype(np.float32) - hr).mean(2) for image in (bilinear, task_input))
    decrease = before - after
    picture = colormaps['RdBu'](0.5 + decrease / (2 * COLOR_LIMIT), bytes=True)[..., :3]
    return f'closer to HR: blue, further away: red ({decrease.mean():+.1f})', picture


def _predictions(visualizer: Visualizer, image: np.ndarray, sample: BaseDataElement) -> np.ndarray:
    return draw_whole(visualizer, image, sample, is_truth=False)


def _ground_truth(visualizer: Visualizer, image: np.ndarray, sample: BaseDataElement) -> dict[str, np.ndarray]:
    return {'ground truth': draw_whole(visualizer, image, sample, is_truth=True)}


def _uint8(sample: BaseDataElement, name: str, size: tuple[int, int], mode: str = 'bilinear') -> np.ndarray:
    return to_uint8(F.interpolate(_unpad(sample, name)[None].float(), size=size, mode=mode)[0])


def _unpad(sample: BaseDataElement, name: str) -> Tensor:
    """Remove the padding of the task network's preprocessor; images of LR data sets have none."""
    image = sample.get(name)
    if 'hr' not in sample:
        return image
    padded = sample.hr.shape[-2:]
    valid = sample.metainfo.get('img_shape', padded)
    height, width = (-(-valid[i] * image.shape[i - 2] // padded[i]) for i in (0, 1))  # rounded up
    return image[..., :height, :width]
