"""Outputs of heads in float32 when a network predicts in mixed precision.

Heads of the zoos make the coordinates of their anchors in the type of their outputs. In bfloat16, a box at 512 px is
right to 4 px, and logits that differ by 1 % are equal.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

_HALF = (torch.float16, torch.bfloat16)


@contextmanager
def full_outputs(task: nn.Module) -> Iterator[None]:
    """Let the heads of a network return float32; what they compute stays in the types of mixed precision.

    Args:
        task (nn.Module): Task network, not wrapped. One without heads of the zoos, such as a detector of torchvision,
            makes its anchors in the type of its features, so its backbone returns float32.

    Example:
        >>> with mixed_precision(inputs.device), full_outputs(task):
        ...     task(inputs, data_samples, mode='predict')
    """
    parts = [part for part in task.modules() if part is not task]
    heads = [part for part in parts if hasattr(part, 'predict_by_feat') or hasattr(part, 'predict')]
    nets = heads or [net for name, net in task.named_modules() if name.rpartition('.')[2] == 'backbone']
    own = [(net, vars(net).get('forward')) for net in nets]
    for net in nets:
        net.forward = _full(net.forward)
    try:
        yield
    finally:
        for net, forward in own:
            if forward is None:
                del net.forward
            else:
                net.forward = forward


def _full(forward: Callable) -> Callable:
    def run(*args: Any, **kwargs: Any) -> Any:
        return _to_float32(forward(*args, **kwargs))

    return run


def _to_float32(node: Any) -> Any:
    if isinstance(node, Tensor):
        return node.float() if node.dtype in _HALF else node
    if isinstance(node, dict):
        return type(node)((key, _to_float32(value)) for key, value in node.items())
    return type(node)(map(_to_float32, node)) if type(node) in (list, tuple) else node
