"""Graphs through frozen layers that keep less."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.nn.modules.batchnorm import _BatchNorm

from .compilation import CompiledForward

#: how the layers run; a subclass may do more with its input
_FORWARDS = {nn.Conv1d.forward, nn.Conv2d.forward, nn.Conv3d.forward, _BatchNorm.forward}


@contextmanager
def lean_graph(modules: Sequence[nn.Module]) -> Iterator[None]:
    """Let convolutions and norms that do not learn keep no input for the backward pass.

    PyTorch keeps the input of every convolution and BatchNorm for the gradient of its weights, also if the weights are
    frozen. The gradient of the image does not need it. The operations are the same, and so are the gradients, to the
    last bit. The backward pass belongs in the context too: checkpoints run parts of the network again in it.

    Args:
        modules (Sequence[nn.Module]): All modules of the network. A compiled network stays as it is: the compiler finds
            out itself what to keep.

    Example:
        >>> with frozen(task), lean_graph(list(task.modules())):
        ...     task(inputs, mode='tensor').mean().backward()
    """
    layers = [] if any(map(_is_compiled, modules)) else [module for module in modules if _keeps_input(module)]
    entered: list[saved_tensors_hooks] = []

    def enter(layer: nn.Module, args: tuple) -> None:
        entered.append(_without_values(layer, *args))
        entered[-1].__enter__()

    def leave(*_: Any) -> None:
        entered.pop().__exit__()

    handles = [layer.register_forward_pre_hook(enter) for layer in layers]
    # before the layer's own hooks, which may compute with its output
    handles += [layer.register_forward_hook(leave, prepend=True, always_call=True) for layer in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
        while entered:  # PyTorch calls no hook of a layer that is interrupted
            leave()


class _Empty:
    """A tensor without its values: the gradient of the image reads only its shape and strides."""

    def __init__(self, tensor: Tensor) -> None:
        self.size, self.stride = tensor.shape, tensor.stride()
        self.options = dict(dtype=tensor.dtype, device=tensor.device)

    def tensor(self) -> Tensor:
        """Make a tensor whose values mean nothing."""
        return torch.empty_strided(self.size, self.stride, **self.options)


def _without_values(layer: nn.Module, image: Tensor | None = None) -> saved_tensors_hooks:
    learns = any(x is not None and x.requires_grad for x in (layer.weight, layer.bias))
    # mixed precision casts the image, so it is known by its shape
    shape = None if image is None or learns or not _keeps_input(layer) else image.shape
    if layer.weight is not None and layer.weight.shape == shape:
        shape = None

    def pack(tensor: Tensor) -> Tensor | _Empty:
        return _Empty(tensor) if tensor.shape == shape else tensor

    return saved_tensors_hooks(pack, lambda kept: kept.tensor() if isinstance(kept, _Empty) else kept)


def _keeps_input(layer: nn.Module) -> bool:
    if type(layer).forward not in _FORWARDS or 'forward' in vars(layer):
        return False
    if isinstance(layer, _BatchNorm):
        return not layer.training and layer.running_mean is not None
    return type(layer)._conv_forward in {nn.Conv1d._conv_forward, nn.Conv2d._conv_forward, nn.Conv3d._conv_forward}


def _is_compiled(module: nn.Module) -> bool:
    return isinstance(vars(module).get('forward'), CompiledForward)
