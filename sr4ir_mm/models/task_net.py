"""Building the task network."""

import copy

from mmengine.dist import is_distributed
from mmengine.model import revert_sync_batchnorm
from torch import nn

from ..registry import MODELS
from .starts import take_files

#: the data preprocessor of a model without a task network: the zoos load images as BGR
IMAGES_ONLY = dict(type='mmengine.ImgDataPreprocessor', bgr_to_rgb=True)


def build_task(
    task: dict | nn.Module | None, data_preprocessor: dict | None, losses: int
) -> tuple[nn.Module | None, list[dict]]:
    """Build the task network.

    Args:
        task (dict or nn.Module, optional): The network, or its config.
        data_preprocessor (dict, optional): Data preprocessor, if the network's own config has none.
        losses (int): Number of images in an iteration for which the network gives losses.

    Returns:
        tuple: The network, or None, and the files from which it starts, whether its class takes an ``init_cfg`` or not.
    """
    files = []
    if isinstance(task, dict):
        task = dict(data_preprocessor=data_preprocessor) | task if data_preprocessor else copy.copy(task)
        files = take_files(task)
        task = MODELS.build(task)
    if task is not None and losses > 1:
        _count_iterations(task, losses)
    # SyncBN needs a process group and, in PyTorch, a GPU
    return task if task is None or is_distributed() else revert_sync_batchnorm(task), files


def _count_iterations(task: nn.Module, losses: int) -> None:
    """Let Dynamic R-CNN adapt its thresholds after as many iterations as before; it counts losses."""
    for part in task.modules():
        if 'dynamic_rcnn' in (getattr(part, 'train_cfg', None) or ()):
            part.train_cfg = copy.deepcopy(part.train_cfg)  # it is the user's
            part.train_cfg.dynamic_rcnn.update_iter_interval *= losses
