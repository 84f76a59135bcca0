"""Freezing a network for a while."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.dropout import _DropoutNd

from .lean_graph import lean_graph

#: norms and noise of other libraries, such as mmcv's SyncBatchNorm, DropPath, DropBlock, torchvision's StochasticDepth
_NAMES = re.compile('BatchNorm|InstanceNorm|Dropout|Drop(Path|Block)|StochasticDepth')
#: rates of modules that call ``F.dropout`` or an attention with dropout themselves
_RATES = ('dropout', 'attn_drop', 'attention_dropout', 'attn_dropout', 'drop_rate')


@contextmanager
def frozen(module: nn.Module, gives_losses: bool = False) -> Iterator[None]:
    """Freeze all parameters and buffers; on exit, restore each parameter's and each submodule's own state.

    A zoo model may have frozen stages of its own, so each parameter gets its own ``requires_grad`` back, and each
    submodule its own mode. Graphs that are made inside keep less, see ``lean_graph``.

    Args:
        module (nn.Module): Network, not wrapped.
        gives_losses (bool): Whether the network is asked for its losses. Many networks compute other things in train
            mode, which their losses need, so they are in train mode then; only norms, dropout and drop path are in
            eval mode. Otherwise everything is.

    Example:
        >>> with frozen(model.task):
        ...     features = model.task.extract_feat(inputs)
    """
    modules = list(module.modules())  # once: this runs in each iteration
    params = [p for m in modules for p in m._parameters.values() if p is not None and p.requires_grad]
    modes = [(m, m.training) for m in modules]
    _set_loss_mode(modules) if gives_losses else _set_eval_mode(modules)
    buffers = _copy_buffers(modules)
    for param in params:
        param.requires_grad_(False)
    try:
        with lean_graph(modules):
            yield
    finally:
        for param in params:
            param.requires_grad_(True)
        for m, mode in modes:
            if m.training is not mode:  # setting an attribute of a module is slow
                m.training = mode
        _restore_buffers(buffers)


def _set_loss_mode(modules: list[nn.Module]) -> None:
    if not modules[0].training:  # it is never trained; its own method keeps e.g. the norms of frozen stages as they are
        modules[0].train()
    for m in modules:
        if isinstance(m, (_NormBase, _DropoutNd)) or _NAMES.search(type(m).__name__) or _has_dropout(m):
            m.training = False


def _has_dropout(module: nn.Module) -> bool:
    rates = (vars(module).get(name) for name in _RATES)
    return any(isinstance(rate, float) and rate > 0 for rate in rates)


def _set_eval_mode(modules: list[nn.Module]) -> None:
    for m in modules:
        m.training = False
    for m in modules:
        if type(m).train is not nn.Module.train:  # mmpretrain's LeAttention prepares its biases there
            m.train(False)


def _copy_buffers(modules: list[nn.Module]) -> list[tuple]:
    """Copy the buffers of what is in train mode: mmseg's EMAHead averages its bases there."""
    return [
        (m, name, buffer, buffer._version, buffer.clone())
        for m in modules
        if m.training
        for name, buffer in m._buffers.items()
        if buffer is not None
    ]


@torch.no_grad()
def _restore_buffers(buffers: list[tuple]) -> None:
    for module, name, buffer, version, copy in buffers:
        if buffer._version != version:
            buffer.copy_(copy)
        module._buffers[name] = buffer
