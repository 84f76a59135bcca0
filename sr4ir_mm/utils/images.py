"""Conversions of images."""

import numpy as np
from torch import Tensor


def to_uint8(image: Tensor) -> np.ndarray:
    """Convert 3 x H x W in [0, 1] to H x W x 3, uint8; values outside the range are clipped."""
    return image.mul(255).round().clamp(0, 255).byte().permute(1, 2, 0).cpu().numpy()
