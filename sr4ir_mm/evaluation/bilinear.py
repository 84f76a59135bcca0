"""Comparison of the SR network's images with bilinear images of the same LR images."""

import math
from collections.abc import Iterable, Sequence

import torch.nn.functional as F
from torch import Tensor

#: dB by which SR images are worse than bilinear ones before that is worth a warning
MARGIN = 1.0


def enlarge(lr: Tensor, scale: int, size: Sequence[int]) -> Tensor:
    """Enlarge LR images bilinearly, with every point where it is.

    ``SR4IR.bilinear``, the input under L->T, puts the corner pixels on each other if ``model.align_corners`` is True.
    Then its PSNR differs from that of these images.

    Args:
        lr (Tensor): N x 3 x h x w.
        scale (int): Factor.
        size (Sequence[int]): Height and width of the HR image; what was padded on the right and below is cut off.

    Returns:
        Tensor: N x 3 x H x W.
    """
    image = F.interpolate(lr, scale_factor=scale, mode='bilinear', align_corners=False)
    return image[..., : size[0], : size[1]]


def worse_than_bilinear(pairs: Iterable[tuple[float, float]], scale: int) -> str:
    """Say that SR images are worse than bilinear ones, and what to do.

    Args:
        pairs (Iterable[tuple[float, float]]): PSNR (dB) of the SR and the bilinear image of each image. Pairs with an
            infinite one do not count.
        scale (int): Factor of the SR network. With 1, the bilinear images are the LR images.

    Returns:
        str: Warning; '' if SR images are less than 1 dB worse, or not finite.
    """
    finite = [pair for pair in pairs if math.inf not in pair]
    sr, bilinear = (sum(values) / len(finite) for values in zip(*finite)) if finite else (0, 0)
    if not sr <= bilinear - MARGIN:
        return ''
    other, example = ('bilinear enlargement', ', such as edsr-s') if scale > 1 else ('the LR images themselves', '')
    return (
        f'The images of the super-resolution network are worse than {other}: PSNR {sr:.1f} dB, not {bilinear:.1f} dB. '
        f'Train it longer with --scheme S, take one with weights{example}, or lower its learning rate '
        '(optim_wrapper.sr.optimizer.lr).'
    )
