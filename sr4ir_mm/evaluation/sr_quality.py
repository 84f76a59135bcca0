"""Image quality of S, beside any task metric."""

import logging
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from ..errors import SR4IRError
from ..models.degradations.bicubic import quantize
from ..registry import METRICS

#: torchvision's VGG-16, the trunk of LPIPS; torchmetrics holds the small rest
LPIPS_TRUNK = 'vgg16-397923af.pth'


@METRICS.register_module()
class SRQuality(BaseMetric):
    """PSNR (dB), SSIM and LPIPS-VGG between what T saw and the HR image, as the paper measures them.

    Both images are in RGB; SR is rounded to 8 bits, and a border is cut off. PSNR is the mean over images; images that
    are equal to the last bit (infinite PSNR) are left out, and PSNR is infinite if all are.

    Args:
        metrics (Sequence[str]): Out of 'PSNR', 'SSIM', 'LPIPS'. LPIPS is left out with one warning if its trunk
            is not in PyTorch's hub folder, since it cannot be downloaded everywhere.
        crop_border (int): Pixels to cut off at each side.
        collect_device (str): As in MMEngine.
        prefix (str, optional): Of the names of the metrics.
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
        unknown = set(metrics) - {'PSNR', 'SSIM', 'LPIPS'}
        if unknown:
            raise SR4IRError(f"SRQuality has no metric {sorted(unknown)}; choose of 'PSNR', 'SSIM', 'LPIPS'.")
        self.metrics = [m for m in metrics if m != 'LPIPS' or _lpips_available()]
        self.crop_border = crop_border
        self._lpips: torch.nn.Module | None = None

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Measure each image; takes ``task_input`` and ``hr``, 3 x H x W in [0, 1], from the data samples."""
        for sample in data_samples:
            height, width = sample.get('img_shape', sample['hr'].shape[-2:])[:2]
            sr, hr = (self._cut(sample[name][..., :height, :width]) for name in ('task_input', 'hr'))
            self.results.append({name: getattr(self, name.lower())(quantize(sr), hr) for name in self.metrics})

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Average over the data set."""
        table = {name: torch.tensor([r[name] for r in results]) for name in self.metrics}
        if 'PSNR' in table:
            table['PSNR'] = finite if len(finite := table['PSNR'][table['PSNR'].isfinite()]) else table['PSNR']
        return {name: round(values.mean().item(), 4) for name, values in table.items()}

    def psnr(self, sr: Tensor, hr: Tensor) -> float:
        """Of 1 x 3 x H x W images in [0, 1]."""
        return peak_signal_noise_ratio(sr, hr, data_range=1.0).item()

    def ssim(self, sr: Tensor, hr: Tensor) -> float:
        """Of 1 x 3 x H x W images in [0, 1]."""
        return structural_similarity_index_measure(sr, hr, data_range=1.0).item()

    def lpips(self, sr: Tensor, hr: Tensor) -> float:
        """Of 1 x 3 x H x W images in [0, 1]."""
        if self._lpips is None:
            from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

            self._lpips = LearnedPerceptualImagePatchSimilarity(net_type='vgg', normalize=True).to(sr.device).eval()
        return self._lpips(sr, hr).item()

    def _cut(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        border = self.crop_border if min(height, width) > 2 * self.crop_border else 0
        return image[None, :, border : height - border, border : width - border].float()


def _lpips_available() -> bool:
    trunk = Path(torch.hub.get_dir()) / 'checkpoints' / LPIPS_TRUNK
    if not trunk.is_file():
        print_log(f"LPIPS is not measured: torchvision's {LPIPS_TRUNK} is not at {trunk}", 'current', logging.WARNING)
    return trunk.is_file()
