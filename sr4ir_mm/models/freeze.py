"""Temporary states of a net."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Freeze all parameters and put all submodules in eval mode; on exit each is as it was before.

    Each parameter's own ``requires_grad`` and each submodule's own mode come back, since a zoo model may have frozen
    stages of its own. ``module.train()`` is not called: zoo backbones freeze stages anew in it.
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
