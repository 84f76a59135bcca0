"""PSNR and SSIM of an SR network on the usual sets of images, next to bilinear and bicubic."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.evaluation import SRQuality

#: folders of HR images, in the order of the page
SETS = ('Set5', 'Set14', 'Kodak24')
METRICS = ('PSNR', 'SSIM')
Enlarge = Callable[[Tensor], Tensor]


def read_images(folder: Path, scale: int) -> list[Tensor]:
    """Read the HR images of a folder, cut at the right and bottom to multiples of the scale.

    Returns:
        list[Tensor]: Images, 1 x 3 x H x W, [0, 1], RGB.

    Raises:
        SR4IRError: If the folder has no PNG files.
    """
    images = []
    for path in sorted(folder.glob('*.png')):
        image = torch.from_numpy(np.ascontiguousarray(cv2.imread(str(path), cv2.IMREAD_COLOR)[..., ::-1]))
        height, width = (side // scale * scale for side in image.shape[:2])
        images.append(image.permute(2, 0, 1)[None, :, :height, :width] / 255)
    if not images:
        raise SR4IRError(f"'{folder}' has no PNG files: name the folder of {', '.join(SETS)} with --benchmarks.")
    return images


def interpolations(scale: int) -> dict[str, Enlarge]:
    """Return what an SR network is compared with, both without aligned corners."""
    return {
        mode: lambda lr, mode=mode: F.interpolate(lr, scale_factor=scale, mode=mode, align_corners=False)
        for mode in ('bilinear', 'bicubic')
    }


@torch.no_grad()
def quality(enlarge: Enlarge, degrade: nn.Module, images: list[Tensor]) -> dict[str, float]:
    """Return the mean PSNR (dB) and SSIM of enlarged LR images, as validations measure them.

    Args:
        enlarge (Callable): Function from LR to SR images.
        degrade (nn.Module): Degradation in eval mode, in which an image has one LR image.
        images (list[Tensor]): HR images.
    """
    metric = SRQuality(METRICS)
    for hr in images:
        metric.process({}, [dict(task_input=enlarge(degrade(hr))[0], hr=hr[0])])
    return metric.compute_metrics(metric.results)


def measure(sr: nn.Module, degrade: nn.Module, scale: int, benchmarks: Path) -> dict[str, dict[str, dict]]:
    """Return the quality by set, then by 'bilinear', 'bicubic' and 'sr'."""
    found = {}
    for name in SETS:
        images = read_images(benchmarks / name, scale)
        found[name] = {
            kind: quality(enlarge, degrade, images) for kind, enlarge in (interpolations(scale) | dict(sr=sr)).items()
        }
    return found
