"""What several parts of the package share."""

import numpy as np
from mmengine.model import is_model_wrapper
from torch import Tensor, nn


def unwrap(net: nn.Module) -> nn.Module:
    """The net inside a wrapper for distributed training, or the net itself."""
    return net.module if is_model_wrapper(net) else net


def to_uint8(image: Tensor) -> np.ndarray:
    """3 x H x W in [0, 1] to H x W x 3, uint8; what lies outside is clipped."""
    return image.mul(255).round().clamp(0, 255).byte().permute(1, 2, 0).cpu().numpy()
