"""Wrappers for distributed training."""

from mmengine.model import is_model_wrapper
from torch import nn


def unwrap(net: nn.Module) -> nn.Module:
    """Return the network inside a wrapper for distributed training, or the network itself."""
    return net.module if is_model_wrapper(net) else net
