"""Comparison of the SR network's images with bilinear images of the same LR images."""

import math
from collections.abc import Iterable, Sequence

import torch.nn.functional as F
from torch import Tensor

#: dB by which SR images are worse than bilinear ones before that is worth a warning
MARGIN = 1.0


def enlarge(lr: Tensor, scale: int, size: Sequence[int]) -> Tensor:
    """Enlarge LR images bilinearly, with every point where it is.

    Args:
        lr (Tensor): N x 3 x h x w.
        scale (int): Factor.
        size (Sequence[int]): Height and width of the HR image; what was padded on the right and below is cut off.

    Returns:
        Tensor: N x 3 x H x W.
    """
    image = F.interpolate(lr, scale_factor=scale, mode='bilinear', align_corners=False)
    return image[..., : size[0], : size[1]]


def worse_than_bilinear(pairs: Iterable[tuple[float, float]]) -> str:
    """Say that SR images are worse than bilinear ones, and what to do.

    Args:
        pairs (Iterable[tuple[float, float]]): PSNR (dB) of the SR and the bilinear image of each image. Pairs with an
            infinite one do not count.

    Returns:
        str: Warning; '' if SR images are less than 1 dB worse, or not finite.
    """
    finite = [pair for pair in pairs if math.inf not in pair]
    sr, bilinear = (sum(values) / len(finite) for values in zip(*finite)) if finite else (0, 0)
    if not sr <= bilinear - MARGIN:
        return ''
    return (
        f'The images of the super-resolution network are worse than bilinear enlargement: PSNR {sr:.1f} dB, not '
        f'{bilinear:.1f} dB. Train it longer alone (--scheme S), take one with weights, such as edsr-s, or '
        'lower its learning rate (optim_wrapper.sr.optimizer.lr).'
    )
