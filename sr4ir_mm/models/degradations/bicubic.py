"""Bicubic down-sampling, the degradation of the paper."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...registry import MODELS
from ...utils import pad_to_multiple


def quantize(x: Tensor) -> Tensor:
    """Round an image in [0, 1] to 8 bits: ``clamp(round(255 x), 0, 255) / 255``, half to even, same dtype and shape."""
    return (x * 255).round().clamp(0, 255) / 255


@MODELS.register_module()
class BicubicDegradation(nn.Module):
    """Bicubic down-sampling without antialiasing, then rounding to 8 bits (SR4IR, section 3.1).

    Args:
        scale (int): Down-sampling factor, at least 1 (1 only rounds to 8 bits).

    Example:
        >>> BicubicDegradation(4)(torch.rand(1, 3, 64, 64)).shape
        torch.Size([1, 3, 16, 16])
    """

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale

    @torch.no_grad()
    def forward(self, hr: Tensor) -> Tensor:
        """Degrade a batch.

        Args:
            hr (Tensor): HR images, N x 3 x H x W, float, [0, 1].

        Returns:
            Tensor: N x 3 x ceil(H/scale) x ceil(W/scale), [0, 1] in steps of 1/255. Sides that ``scale`` does not
            divide are first padded at the right and bottom by replication of the edge.
        """
        if self.scale == 1:
            return quantize(hr)
        hr = pad_to_multiple(hr, self.scale)
        return quantize(F.interpolate(hr, scale_factor=1 / self.scale, mode='bicubic', align_corners=False))
