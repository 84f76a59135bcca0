"""Ops of mmcv that read the memory of a tensor as N x C x H x W, whatever its layout is.

Compiled ops of mmcv 2.1.0 such as RoIAlign return wrong values for a tensor in ``torch.channels_last``, without an
error (issue 2203 of mmcv). Here they receive contiguous tensors.
This can go when mmcv converts or refuses other layouts itself.
"""

import functools
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from torch import Tensor
from torch.autograd import Function

OPS = 'mmcv.ops'


def make_contiguous(module: ModuleType, run: Callable[[ModuleType], None]) -> None:
    """Import ``mmcv.ops``, then let its autograd functions receive contiguous tensors, forward and backward.

    Args:
        module (ModuleType): Module ``mmcv.ops``.
        run (Callable): Function that fills it.
    """
    run(module)
    for name, part in list(sys.modules.items()):
        if name.startswith(f'{OPS}.'):
            for kind in vars(part).values():
                if isinstance(kind, type) and issubclass(kind, Function) and kind.__module__ == name:
                    kind.forward = staticmethod(_with_contiguous(kind.forward))
                    kind.backward = staticmethod(_with_contiguous(kind.backward))


def _with_contiguous(function: Callable) -> Callable:
    @functools.wraps(function)
    def call(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        return function(ctx, *(arg.contiguous() if isinstance(arg, Tensor) else arg for arg in args), **kwargs)

    return call
