"""Networks of transformers that predict masks and their classes: Mask2Former and MaskFormer."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def takes_masks(net: nn.Module) -> bool:
    """Return whether a network of transformers learns masks and their classes."""
    return net.config.model_type in ('mask2former', 'maskformer')


def of_semantic_map(labels: Tensor) -> dict[str, list[Tensor]]:
    """Turn maps of classes into what these networks learn: one mask for each class of an image.

    Args:
        labels (Tensor): Classes, N x H x W; 255 is ignored.

    Returns:
        dict[str, list[Tensor]]: ``mask_labels``, each n x H x W, and ``class_labels``, each n.
    """
    classes = [(found := label.unique())[found != 255] for label in labels]
    masks = [(label == found[:, None, None]).float() for label, found in zip(labels, classes)]
    return dict(mask_labels=masks, class_labels=classes)


def class_scores(net: nn.Module, outputs: Any, size: tuple[int, int]) -> Tensor:
    """Return the score of each class at each pixel, as the network's image processor computes it.

    Args:
        net (nn.Module): Network of transformers.
        outputs (ModelOutput): What it returns.
        size (tuple[int, int]): Height and width of the result.

    Returns:
        Tensor: N x classes x H x W, positive.
    """
    masks = outputs.masks_queries_logits
    if net.config.model_type == 'mask2former':  # of any size, as transformers does
        masks = F.interpolate(masks, (384, 384), mode='bilinear', align_corners=False)
    classes = outputs.class_queries_logits.softmax(-1)[..., :-1]
    scores = torch.einsum('bqc, bqhw -> bchw', classes, masks.sigmoid())
    return F.interpolate(scores, size, mode='bilinear', align_corners=False)
