"""Freezing a network for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Freeze all parameters and put all submodules in eval mode; on exit, restore each one's own state.

    A zoo model may have frozen stages of its own, so each parameter gets its own ``requires_grad`` back, and each
    submodule its own mode. ``module.train()`` is not called, because zoo backbones freeze stages again in it.

    Args:
        module (nn.Module): Network, not wrapped.

    Example:
        >>> with frozen(model.task):
        ...     features = model.task.extract_feat(inputs)
    """
    params = [p for p in module.parameters() if p.requires_grad]
    modules = [m for m in module.modules() if m.training]
    for param in params:
        param.requires_grad_(False)
    for m in modules:
        m.training = False
    try:
        yield
    finally:
        for param in params:
            param.requires_grad_(True)
        for m in modules:
            m.training = True
