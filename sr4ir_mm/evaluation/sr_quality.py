"""Quality of the images that the task network receives."""

import logging
import math
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio

from ..errors import SR4IRError
from ..models.degradations.base import quantize
from ..registry import METRICS
from ..utils import check_number, full_precision
from .bilinear import enlarge, worse_than_bilinear
from .ssim import WINDOW, structural_similarity

#: torchvision's VGG-16, the trunk of LPIPS; torchmetrics holds the small rest
LPIPS_TRUNK = 'vgg16-397923af.pth'
#: shortest side, in pixels, of an image that a metric takes: SSIM has a window, VGG-16 halves the sides
MIN_SIDES = dict(PSNR=1, SSIM=WINDOW, LPIPS=16)


@METRICS.register_module()
class SRQuality(BaseMetric):
    """PSNR (dB), SSIM and LPIPS (VGG) between the image that the task network received and the HR image.

    Both images are RGB, the first one is rounded to 8 bits, and a border is cut off. PSNR and LPIPS are those of the
    paper's code, which has no SSIM; for SSIM see :func:`structural_similarity`. Each is the mean over the images. Equal
    images, whose PSNR is infinite, are left out; PSNR is infinite if all images are equal.

    The border stays where the rest would be too small for a metric: SSIM takes images of at least 11 px, LPIPS of at
    least 16 px. Smaller ones are left out of its mean, with a warning. Padding of a batch does not count. The metric
    can stand next to any metric of the task. It warns once if the images of the SR network have a PSNR that is 1 dB or
    more below that of bilinear ones.

    Args:
        metrics (Sequence[str]): Names out of 'PSNR', 'SSIM', 'LPIPS'. LPIPS is left out with a warning if its VGG-16 is
            not in PyTorch's hub folder: not every machine can download it.
        crop_border (int): Width of the border in pixels.
        collect_device (str): Device on which the results of several processes meet, 'cpu' or 'gpu'.
        prefix (str, optional): Prefix of the names in the log, 'sr' by default.

    Raises:
        SR4IRError: If a metric is unknown, or the border is no whole number.

    Example:
        >>> val_evaluator = [dict(type='mmseg.IoUMetric'), dict(type='sr4ir_mm.SRQuality', metrics=['PSNR', 'SSIM'])]
    """

    default_prefix = 'sr'

    def __init__(
        self,
        metrics: Sequence[str] = ('PSNR', 'SSIM', 'LPIPS'),
        crop_border: int = 8,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        metrics = [metrics] if isinstance(metrics, str) else metrics
        check_number('SRQuality', low=0, whole=True, crop_border=crop_border)
        unknown = set(metrics) - {'PSNR', 'SSIM', 'LPIPS'}
        if unknown:
            raise SR4IRError(f"SRQuality has no metric {sorted(unknown)}: choose from 'PSNR', 'SSIM' and 'LPIPS'.")
        self.metrics = [m for m in metrics if m != 'LPIPS' or _lpips_available()]
        self.crop_border = crop_border
        #: scale of the SR network whose images are compared with bilinear ones; None for no comparison
        self.compared_scale: int | None = None
        self._lpips: torch.nn.Module | None = None
        self._has_warned = False

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Compare ``task_input`` and ``hr`` of each data sample, both 3 x H x W in [0, 1]; padding does not count."""
        for sample in data_samples:
            height, width = sample.get('img_shape', sample['hr'].shape[-2:])[:2]
            sr, hr = (sample[name][None, :, :height, :width].float() for name in ('task_input', 'hr'))
            with full_precision(hr.device):
                result = {name: self._measure(name, quantize(sr), hr) for name in self.metrics}
                if self.compared_scale and 'PSNR' in result:
                    bilinear = enlarge(sample['lr'][None].float(), self.compared_scale, hr.shape[-2:])
                    result['bilinear'] = self._measure('PSNR', quantize(bilinear), hr)
            self.results.append(result)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Return the mean of each metric over the images; NaN if all are too small for it."""
        table = {name: [r[name] for r in results if r[name] is not None] for name in self.metrics}
        for name, values in table.items():
            if left_out := len(results) - len(values):
                text = f'{name} leaves out {left_out} of {len(results)} images: they are smaller than it needs'
                print_log(text, 'current', logging.WARNING)
        if self.compared_scale and not self._has_warned:
            self._warn([(r['PSNR'], r['bilinear']) for r in results if 'bilinear' in r], self.compared_scale)
        if 'PSNR' in table:
            table['PSNR'] = [value for value in table['PSNR'] if value != math.inf] or table['PSNR']
        return {name: round(torch.tensor(values).mean().item(), 4) for name, values in table.items()}

    def _warn(self, pairs: list[tuple[float, float]], scale: int) -> None:
        if text := worse_than_bilinear(pairs, scale):
            print_log(text, 'current', logging.WARNING)
            self._has_warned = True

    def _measure(self, name: str, sr: Tensor, hr: Tensor) -> float | None:
        side, border = min(hr.shape[-2:]), self.crop_border
        if side < MIN_SIDES[name]:
            return None
        if border and side >= MIN_SIDES[name] + 2 * border:
            sr, hr = (image[..., border:-border, border:-border] for image in (sr, hr))
        return getattr(self, name.lower())(sr, hr)

    def psnr(self, sr: Tensor, hr: Tensor) -> float:
        """Return the PSNR (dB) of two 1 x 3 x H x W images in [0, 1]."""
        return peak_signal_noise_ratio(sr, hr, data_range=1.0).item()

    def ssim(self, sr: Tensor, hr: Tensor) -> float:
        """Return the SSIM of two 1 x 3 x H x W images in [0, 1]."""
        return structural_similarity(sr, hr).item()

    def lpips(self, sr: Tensor, hr: Tensor) -> float:
        """Return the LPIPS of two 1 x 3 x H x W images in [0, 1]."""
        if self._lpips is None:
            from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

            self._lpips = LearnedPerceptualImagePatchSimilarity(net_type='vgg', normalize=True).to(sr.device).eval()
        return self._lpips(sr, hr).item()


def _lpips_available() -> bool:
    trunk = Path(torch.hub.get_dir()) / 'checkpoints' / LPIPS_TRUNK
    if not trunk.is_file():
        print_log(f"LPIPS is not measured: put torchvision's {LPIPS_TRUNK} at {trunk}", 'current', logging.WARNING)
    return trunk.is_file()
