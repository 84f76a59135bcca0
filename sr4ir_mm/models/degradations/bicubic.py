"""Bicubic down-sampling, the degradation of the paper."""

import torch.nn.functional as F
from torch import Tensor

from ...registry import MODELS
from .base import Degradation


@MODELS.register_module()
class BicubicDegradation(Degradation):
    """Bicubic down-sampling without antialiasing, then rounding to 8 bits (SR4IR, section 3.1).

    Args:
        scale (int): Down-sampling factor, at least 1 (1 only rounds to 8 bits).

    Example:
        >>> BicubicDegradation(4)(torch.rand(1, 3, 64, 64)).shape
        torch.Size([1, 3, 16, 16])
    """

    def degrade(self, hr: Tensor) -> Tensor:
        """Make N x 3 x H/scale x W/scale of N x 3 x H x W."""
        if self.scale == 1:
            return hr
        return F.interpolate(hr, scale_factor=1 / self.scale, mode='bicubic', align_corners=False)
