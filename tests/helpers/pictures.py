"""Data samples of plain colors and visualizers, for tests of drawing."""

from itertools import count

import torch
from mmengine.registry import VISUALIZERS
from mmengine.structures import BaseDataElement, PixelData
from mmengine.visualization import Visualizer

RED, GREEN, BLUE, YELLOW, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 255, 255)
SIZE = (120, 160)
COUNT = count()


def image(color: tuple, *size: int) -> torch.Tensor:
    """Return an image of one color, 3 x H x W in [0, 1]."""
    return (torch.tensor(color) / 255).view(3, 1, 1).expand(3, *size).clone()


def sample(cls: type = BaseDataElement, size: tuple = SIZE, task_input: tuple = GREEN, **meta) -> BaseDataElement:
    """Return a data sample whose LR image is red, the task network's input green, and HR blue."""
    height, width = size
    meta = dict(dict(img_path='some/where/a.jpg', img_shape=SIZE, ori_shape=SIZE), **meta)
    meta = {key: value for key, value in meta.items() if value}
    images = dict(lr=image(RED, height // 4, width // 4), task_input=image(task_input, *size), hr=image(BLUE, *size))
    return cls(metainfo=meta, **images)


def visualizer(kind: str, **kwargs) -> Visualizer:
    """Build a visualizer for two classes, the second of which is white."""
    name = f'visualizer {next(COUNT)}'  # MMEngine keeps every name
    visualizer = VISUALIZERS.build(dict(type=kind, name=name, **kwargs))
    visualizer.dataset_meta = dict(classes=('', 'cat'), palette=[(0, 0, 0), (255, 255, 255)])
    return visualizer


def labeled(sample: BaseDataElement, **maps: int | torch.Tensor) -> BaseDataElement:
    """Add ``gt_sem_seg`` or ``pred_sem_seg``: the same class everywhere, or a map of H x W classes."""
    for name, label in maps.items():
        data = label if isinstance(label, torch.Tensor) else torch.full(SIZE, label)
        sample.set_field(PixelData(data=data[None]), name)
    return sample
