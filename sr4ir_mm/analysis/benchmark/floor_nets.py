"""Task networks in plain PyTorch: those of torchvision without their adapters, those of the zoos by their own API."""

import copy
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...models.adapters.torchvision_detector import TorchvisionDetector
from ...models.adapters.torchvision_nets import TorchvisionClassifier, TorchvisionNet

#: the network, a function that runs it on images, and one from images to the loss
Plain = tuple[nn.Module, Callable[[Tensor], Any], Callable[[Tensor], Tensor]]


def plain_task(task: nn.Module, samples: list) -> Plain:
    """Return a task network with functions of its normalized images, N x 3 x H x W.

    Args:
        task (nn.Module): Task network.
        samples (list): Data samples of the batch, with ground truth.
    """
    if not isinstance(task, TorchvisionNet):
        return task, lambda x: task(x, samples, mode='tensor'), lambda x: _zoo_loss(task, x, samples)
    if isinstance(task, TorchvisionDetector):
        return _detector(task.net, samples)
    return (_classifier if isinstance(task, TorchvisionClassifier) else _segmentor)(task.net, samples)


def normalization(preprocessor: nn.Module) -> Callable[[Tensor], Tensor]:
    """Return the function from images in [0, 1], RGB, to those of the task network."""
    mean, std = (getattr(preprocessor.task_preprocessor, name, None) for name in ('mean', 'std'))
    flips = preprocessor.flip_channels

    def normalize(image: Tensor) -> Tensor:
        image = (image.flip(1) if flips else image) * 255
        return image if mean is None else (image - mean) / std

    return normalize


def _zoo_loss(task: nn.Module, inputs: Tensor, samples: list) -> Tensor:
    losses = task(inputs, copy.deepcopy(samples), mode='loss')  # some networks change the samples
    return task.parse_losses(losses)[0]


def _detector(net: nn.Module, samples: list) -> Plain:
    sizes = [sample.img_shape[:2] for sample in samples]
    truths = [sample.gt_instances for sample in samples]
    targets = [dict(boxes=truth.bboxes, labels=truth.labels + 1) for truth in truths]

    def split(inputs: Tensor) -> list[Tensor]:
        return [image[:, :height, :width] for image, (height, width) in zip(inputs, sizes)]

    return net, lambda x: net(split(x)), lambda x: sum(net(split(x), targets).values())


def _classifier(net: nn.Module, samples: list) -> Plain:
    labels = torch.cat([sample.gt_label for sample in samples])
    return net, net, lambda x: F.cross_entropy(net(x), labels)


def _segmentor(net: nn.Module, samples: list) -> Plain:
    classes = torch.cat([sample.gt_sem_seg.data for sample in samples])
    weights = dict(out=1.0, aux=0.5)

    def loss(inputs: Tensor) -> Tensor:
        outputs = net(inputs)
        return sum(weights[name] * F.cross_entropy(x, classes, ignore_index=255) for name, x in outputs.items())

    return net, net, loss
