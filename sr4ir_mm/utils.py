"""What models and engine share."""

from mmengine.model import is_model_wrapper
from torch import nn


def unwrap(net: nn.Module) -> nn.Module:
    """The net inside a wrapper for distributed training, or the net itself."""
    return net.module if is_model_wrapper(net) else net
