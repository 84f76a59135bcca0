"""One kernel for all parameters in the step of an optimizer on a GPU."""

from collections.abc import Iterable

import torch
from mmengine.registry import OPTIMIZERS
from torch import nn

from ..compat import fused_steps

#: arguments by which a config chooses the implementation itself
_CHOICES = ('fused', 'foreach', 'capturable', 'differentiable')
_KINDS = (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW)


def with_fused(wrapper: dict, params: Iterable[nn.Parameter]) -> dict:
    """Return the config of an optimizer wrapper, with ``fused=True`` where PyTorch has it and the config says nothing.

    On a CPU nothing changes: a step is under 1 % of an iteration there, and a training under 'H->T' stays equal to
    that of the bare network to the last bit.

    Args:
        wrapper (dict): Config of the wrapper with its ``optimizer``.
        params (Iterable[nn.Parameter]): Parameters of the network.
    """
    optimizer = wrapper.get('optimizer')
    if not isinstance(optimizer, dict) or any(key in optimizer for key in _CHOICES):
        return wrapper
    kind = optimizer.get('type')
    kind = OPTIMIZERS.get(kind) if isinstance(kind, str) else kind
    on_gpu = all(p.is_cuda and p.is_floating_point() for p in params)
    if kind not in _KINDS or not on_gpu or not fused_steps.WORKS_ON_CPU:
        return wrapper
    return {**wrapper, 'optimizer': {**optimizer, 'fused': True}}


def match_layout(optimizer: torch.optim.Optimizer) -> None:
    """Give the state of an optimizer the memory layout of its parameters, whose values it keeps.

    A fused step goes through the memory of both without a look at the layout. That of a checkpoint differs if
    ``model.channels_last`` was another when it was written.

    Args:
        optimizer (Optimizer): Optimizer that has loaded a state.
    """
    for param, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, torch.Tensor) and value.shape == param.shape and value.stride() != param.stride():
                state[name] = torch.empty_like(param, dtype=value.dtype, requires_grad=False).copy_(value)
