"""Networks of transformers that predict masks and their classes: Mask2Former, MaskFormer, OneFormer and EoMT."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.structures import InstanceData
from torch import Tensor, nn

from ...errors import SR4IRError
from .hf_patches import side_of

#: classes by model types
MASK_NETS = {
    'eomt': 'EomtForUniversalSegmentation',
    'eomt_dinov3': 'EomtDinov3ForUniversalSegmentation',
    'mask2former': 'Mask2FormerForUniversalSegmentation',
    'maskformer': 'MaskFormerForInstanceSegmentation',
    'oneformer': 'OneFormerForUniversalSegmentation',
}
#: 'the task is semantic' in tokens of CLIP, which all OneFormers have
_SEMANTIC = (49406, 518, 10549, 533, 29119, 1550, 49407)


def takes_masks(net: nn.Module) -> bool:
    """Return whether a network of transformers learns masks and their classes."""
    return net.config.model_type in MASK_NETS


def task_inputs(net: nn.Module, inputs: Tensor) -> dict[str, Tensor]:
    """Return what a network receives in addition to images, N x 3 x H x W: OneFormer, the name of its task."""
    if net.config.model_type != 'oneformer':
        return {}
    tokens = F.pad(torch.tensor(_SEMANTIC, device=inputs.device), (0, net.config.task_seq_len - len(_SEMANTIC)))
    return dict(task_inputs=tokens.expand(inputs.shape[0], -1))


def of_semantic_map(labels: Tensor) -> dict[str, list[Tensor]]:
    """Turn maps of classes into what these networks learn: one mask for each class of an image.

    Args:
        labels (Tensor): Classes, N x H x W; pixels of 255 are in no mask.

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
    side = 384 if net.config.model_type == 'mask2former' else side_of(net.config)
    if side:  # before the sigmoid
        masks = F.interpolate(masks, (side, side), mode='bilinear', align_corners=False)
    classes = outputs.class_queries_logits.softmax(-1)[..., :-1]
    scores = torch.einsum('bqc, bqhw -> bchw', classes, masks.sigmoid())
    return F.interpolate(scores, size, mode='bilinear', align_corners=False)


def of_instances(instances: Sequence[InstanceData], size: tuple[int, int]) -> dict[str, list[Tensor]]:
    """Turn the objects of mmdet's data samples into what these networks learn.

    Args:
        instances (Sequence[InstanceData]): ``labels`` and ``masks`` of each image.
        size (tuple[int, int]): Height and width of the batch, with padding.

    Raises:
        SR4IRError: If the objects have no masks.
    """
    if any('masks' not in entry for entry in instances):
        raise SR4IRError(
            'The task network learns masks of objects, and the data have none: set LoadAnnotations(with_bbox=True, '
            'with_mask=True) in the pipeline of the training, or choose a network of boxes, such as RT-DETR.'
        )
    masks = []
    for entry in instances:
        mask = entry.masks.to_tensor(torch.float32, entry.labels.device)
        masks.append(F.pad(mask, (0, size[1] - mask.shape[2], 0, size[0] - mask.shape[1])))
    return dict(mask_labels=masks, class_labels=[entry.labels.long() for entry in instances])


def select_instances(classes: Tensor, masks: Tensor, size: tuple[int, int]) -> InstanceData:
    """Select the objects of an image as ``post_process_instance_segmentation`` does, without a threshold.

    Args:
        classes (Tensor): Logits, queries x (classes + 1).
        masks (Tensor): Logits, queries x h x w.
        size (tuple[int, int]): Height and width of the result.

    Returns:
        InstanceData: ``labels``, ``scores`` and ``masks``, n x H x W, bool; masks without a pixel are left out.
    """
    masks = F.interpolate(masks[None], (384, 384), mode='bilinear', align_corners=False)[0]
    scores = classes.softmax(-1)[:, :-1]
    best, index = scores.flatten().topk(len(scores), sorted=False)
    masks = masks[torch.div(index, scores.shape[1], rounding_mode='floor')]
    binary = (masks > 0).float()
    quality = (masks.sigmoid().flatten(1) * binary.flatten(1)).sum(1) / (binary.flatten(1).sum(1) + 1e-6)
    found = F.interpolate(binary[None], size, mode='nearest')[0].bool()
    objects = InstanceData(labels=index % scores.shape[1], scores=best * quality, masks=found)
    return objects[found.flatten(1).any(1)]
