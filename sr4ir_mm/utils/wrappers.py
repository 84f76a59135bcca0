"""Wrappers for distributed training."""

from torch import nn


def unwrap(net: nn.Module) -> nn.Module:
    """Return the network inside a wrapper for distributed training, or the network itself."""
    from mmengine.model import is_model_wrapper  # takes seconds, which the tools' --help does not need

    return net.module if is_model_wrapper(net) else net
