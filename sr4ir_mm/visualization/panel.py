"""What S made of one image, what T saw in it, and where that is another decision than on bilinear up-sampling."""

from dataclasses import dataclass, field

import numpy as np
import torch.nn.functional as F
from matplotlib import colormaps
from mmengine.structures import BaseDataElement
from mmengine.visualization import Visualizer
from torch import Tensor

from ..utils import to_uint8
from .windows import change, top_windows

#: What the task network receives at test time, by ``Scheme.test_input``.
SEEN = dict(sr='SR', bilinear='bilinear', hr='HR (task input)')  # beside the HR that all panels have
#: The difference of errors, in gray levels, at which the colors of the difference map end.
LIMIT = 64
Drawn = tuple[BaseDataElement, np.ndarray]  # a data sample and the image that T saw


@dataclass
class Panel:
    """Pictures by their titles, H x W x 3, uint8, RGB, all of the size in which T predicts (the original image's).

    Args:
        images (dict[str, np.ndarray]): LR, bilinear, SR, HR.
        drawn (dict[str, np.ndarray]): Below each of them the difference map, the predictions, the ground truth.
        windows (list[tuple[slice, slice]]): Rows and columns where T decides otherwise on SR than on bilinear.
    """

    images: dict[str, np.ndarray]
    drawn: dict[str, np.ndarray]
    windows: list[tuple[slice, slice]] = field(default_factory=list)


def make_panel(
    visualizer: Visualizer,
    sample: BaseDataElement,
    baseline: BaseDataElement | None = None,
    test_input: str = 'sr',
    crops: int = 2,
) -> Panel:
    """Draw one data sample.

    Args:
        visualizer (Visualizer): T's own, without backends.
        sample (BaseDataElement): As T predicted it, with ``lr``, ``task_input`` (what T received) and, unless the data set is LR
            itself, ``hr``: 3 x H x W in [0, 1], RGB.
        baseline (BaseDataElement, optional): The same as T predicts it on bilinear up-sampling, which is its ``task_input``.
        test_input (str): What ``task_input`` is: 'sr', 'bilinear' (up-sampling) or 'hr'.
        crops (int): How many windows at most.
    """
    size = tuple(sample.metainfo.get('ori_shape', sample.task_input.shape[-2:])[:2])
    lr, seen = _uint8(sample, 'lr', size, 'nearest'), _uint8(sample, 'task_input', size)
    images = {'LR': lr, SEEN[test_input]: seen}
    prediction = {
        f'prediction on {SEEN[test_input].partition(" ")[0]}': draw(
            visualizer, seen, sample, draw_gt=False, draw_pred=True
        )
    }
    hr = _uint8(sample, 'hr', size) if 'hr' in sample else lr
    truth = {'ground truth': draw(visualizer, hr, sample, draw_gt=True, draw_pred=False)}
    if hr is lr:
        return Panel(images, truth | prediction)
    if baseline is None:
        return Panel(images | {'HR': hr}, {'': np.full_like(lr, 255)} | prediction | truth)
    low = _uint8(baseline, 'task_input', size)
    title, difference = difference_map(low, seen, hr)
    low_prediction = draw(visualizer, low, baseline, draw_gt=False, draw_pred=True)
    return Panel(
        {'LR': lr, 'bilinear': low} | images | {'HR': hr},
        {title: difference, 'prediction on bilinear': low_prediction} | prediction | truth,
        _windows(visualizer, (baseline, low), (sample, seen), crops),
    )


def difference_map(low: np.ndarray, seen: np.ndarray, hr: np.ndarray) -> tuple[str, np.ndarray]:
    """Where ``seen`` is nearer to ``hr`` than ``low`` is (blue) and where farther (red); all H x W x 3, uint8.

    Returns:
        tuple: A title, which has the mean over the image in gray levels, and the picture, H x W x 3, uint8.
    """
    error_low, error_seen = (np.abs(image.astype(np.float32) - hr).mean(2) for image in (low, seen))
    nearer = error_low - error_seen
    picture = colormaps['RdBu'](0.5 + nearer / (2 * LIMIT), bytes=True)[..., :3]
    return f'nearer to HR: blue, farther: red ({nearer.mean():+.1f})', picture


def _windows(visualizer: Visualizer, first: Drawn, second: Drawn, crops: int) -> list[tuple[slice, slice]]:
    canvas = np.full_like(first[1], 128)  # on one canvas, predictions are all that can differ
    decisions = [
        draw(visualizer, canvas, sample, scores=False, draw_gt=False, draw_pred=True) for sample, _ in (first, second)
    ]
    if not _of_whole_images(visualizer):
        return top_windows(change(*decisions), crops)
    if np.array_equal(*decisions):
        return []
    # a class has no place in the image: where S changed the image
    return top_windows(np.abs(first[1].astype(np.float32) - second[1]).mean(2) / 255, crops)


def _of_whole_images(visualizer: Visualizer) -> bool:
    return hasattr(visualizer, 'visualize_cls')  # mmpretrain, whose add_datasample does nothing


def draw(
    visualizer: Visualizer, image: np.ndarray, sample: BaseDataElement, scores: bool = True, **what: bool
) -> np.ndarray:
    """Let T's visualizer draw a data sample.

    Args:
        visualizer (Visualizer): T's own.
        image (np.ndarray): H x W x 3, uint8, RGB, of the sample's ``ori_shape``.
        sample (BaseDataElement): T's.
        scores (bool): Whether to write the scores of classes of whole images.
        **what (bool): 'draw_gt' and 'draw_pred', and other options of the visualizer.

    Returns:
        np.ndarray: H x W x 3, uint8, RGB; the image itself where there is nothing to draw.
    """
    visualizer.set_image(image)  # which stays where there is nothing to draw
    if _of_whole_images(visualizer):
        visualizer.visualize_cls(image.copy(), sample.cpu(), draw_score=scores, **what)
    else:
        visualizer.add_datasample('panel', image.copy(), sample.cpu(), **what)
    return visualizer.get_image()


def _uint8(sample: BaseDataElement, name: str, size: tuple[int, int], mode: str = 'bilinear') -> np.ndarray:
    return to_uint8(F.interpolate(_unpad(sample, name)[None].float(), size=size, mode=mode)[0])


def _unpad(sample: BaseDataElement, name: str) -> Tensor:
    """Without the padding of T's preprocessor, which HR has."""
    image = sample.get(name)
    if 'hr' not in sample:
        return image
    whole = sample.hr.shape[-2:]
    part = sample.metainfo.get('img_shape', whole)
    height, width = (-(-part[i] * image.shape[i - 2] // whole[i]) for i in (0, 1))  # rounded up
    return image[..., :height, :width]
