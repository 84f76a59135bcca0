"""Depthwise convolutions in float32 while a CPU trains in mixed precision.

PyTorch 2.14 takes longer for their gradients in bfloat16 than in float32, so that mixed precision made the training of
EfficientNet slower. This can go when bfloat16 is faster.
"""

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from ..utils.precision import full_precision, is_mixed


class FullDepthwise(TorchFunctionMode):
    """Context in which depthwise convolutions compute in float32, and return the type of the casts.

    Example:
        >>> with torch.autocast('cpu'), FullDepthwise():
        ...     losses = model(image)
    """

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        """Call a function of PyTorch."""
        kwargs = kwargs or {}
        if func is not torch.conv2d or not _is_depthwise(*args, **kwargs) or not is_mixed('cpu'):
            return func(*args, **kwargs)
        with full_precision('cpu'):
            named = {name: _full(value) for name, value in kwargs.items()}
            return func(*map(_full, args), **named).to(torch.bfloat16)


def _is_depthwise(input: Tensor, weight: Tensor, *_: Any, **__: Any) -> bool:  # the names of torch.conv2d
    return weight.shape[1] == 1 and input.shape[1] > 1


def _full(value: Any) -> Any:
    return value.float() if isinstance(value, Tensor) else value
