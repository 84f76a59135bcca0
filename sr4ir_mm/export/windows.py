"""Predictions of segmentation networks in windows, in a form that can be traced for one size."""

import torch.nn.functional as F
from torch import Tensor, nn


def predict_windows(task: nn.Module, inputs: Tensor) -> Tensor:
    """Do as mmseg's ``slide_inference``, whose check of the result cannot be traced.

    Args:
        task (nn.Module): Segmentor of mmseg with ``test_cfg.crop_size`` and ``.stride``.
        inputs (Tensor): Normalized images, N x 3 x H x W.

    Returns:
        Tensor: Mean of the logits of all windows at each pixel, N x classes x H x W.
    """
    height, width = inputs.shape[-2:]
    rows, columns = (
        _spans(side, *pair) for side, *pair in zip((height, width), task.test_cfg.crop_size, task.test_cfg.stride)
    )
    total, count = 0, inputs.new_zeros(1, 1, height, width)
    for top, bottom in rows:
        for left, right in columns:
            window = inputs[..., top:bottom, left:right]
            logits = task.encode_decode(window, [dict(img_shape=window.shape[2:], ori_shape=(height, width))])
            rim = (left, width - right, top, height - bottom)
            total = total + F.pad(logits, rim)
            count = count + F.pad(inputs.new_ones(1, 1, bottom - top, right - left), rim)
    return total / count


def _spans(length: int, crop: int, stride: int) -> list[tuple[int, int]]:
    """List begin and end of the windows along one side; the last ones are moved back into the image."""
    ends = [min(i * stride + crop, length) for i in range(max(length - crop + stride - 1, 0) // stride + 1)]
    return [(max(end - crop, 0), end) for end in ends]
