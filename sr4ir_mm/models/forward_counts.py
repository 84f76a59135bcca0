"""Parts of a task network that count forward passes in order to count iterations."""

import copy

from torch import nn


def count_iterations(task: nn.Module, losses: int) -> None:
    """Let parts of the task network count an iteration once, in which it gives losses for several images.

    Dynamic R-CNN adapts its thresholds after ``update_iter_interval`` losses. No other network of the zoos counts.

    Args:
        task (nn.Module): Task network, which is changed.
        losses (int): Number of images in an iteration for which it gives losses.
    """
    for part in task.modules():
        if 'dynamic_rcnn' in (getattr(part, 'train_cfg', None) or ()):
            part.train_cfg = copy.deepcopy(part.train_cfg)  # it is the user's
            part.train_cfg.dynamic_rcnn.update_iter_interval *= losses
