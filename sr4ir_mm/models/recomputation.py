"""Activation checkpointing of the SR network: its blocks run again in the backward pass instead of keeping tensors."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.logging import print_log
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.utils.checkpoint import checkpoint

from ..errors import SR4IRError
from ..utils.blocks import LISTS, is_block


@dataclass
class RecomputedForward:
    """The ``forward`` of a block that keeps its input only, and runs again in the backward pass.

    It replaces the block's own as an attribute, so the names of the weights stay. Random numbers, such as those of
    dropout, are the same in both runs. Without gradient, the block runs as usual.

    Args:
        block (nn.Module): The block.
    """

    block: nn.Module

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the block."""
        if not torch.is_grad_enabled():
            return type(self.block).forward(self.block, *args, **kwargs)
        return checkpoint(type(self.block).forward, self.block, *args, use_reentrant=False, **kwargs)


def recompute_blocks(net: nn.Module) -> None:
    """Let the repeated blocks of a network run again in the backward pass, which saves memory and costs time.

    Args:
        net (nn.Module): Network of any kind, with blocks in an ``nn.Sequential`` or ``nn.ModuleList``; if it has none
            there, as attributes.

    Raises:
        SR4IRError: If the network has no repeated blocks of at least two layers (as attributes: that hold half of its
            weights), or they count batch statistics.
    """
    kind, blocks = _repeated_blocks(net)
    if any(isinstance(module, _NormBase) and module.track_running_stats for b in blocks for module in b.modules()):
        raise SR4IRError(
            f'with_cp: the blocks of {type(net).__name__} ({kind}) have norms that average over batches, and would '
            'count each batch twice. Leave out with_cp.'
        )
    for block in blocks:
        block.forward = RecomputedForward(block)
    print_log(f'with_cp: {len(blocks)} {kind} of {type(net).__name__} run again in the backward pass', 'current')


def _repeated_blocks(net: nn.Module) -> tuple[str, list[nn.Module]]:
    """Find the blocks that hold most of the network; of nested ones those that are most, e.g. 36 rather than 6."""
    found = _kinds(parent for parent in net.modules() if isinstance(parent, LISTS))
    if found:
        most = max(map(_size, found.values()))
        kind, blocks = max(found.items(), key=lambda item: (_size(item[1]) > most / 2, len(item[1])))
        return kind.__name__, blocks
    # SPAN has its blocks as attributes, and in them others that are no blocks
    found = {kind: blocks for kind, blocks in _kinds(net.modules()).items() if _size(blocks) >= _size([net]) / 2}
    if not found:
        raise SR4IRError(f'with_cp: {type(net).__name__} has no repeated blocks. Leave out with_cp.')
    kind, blocks = min(found.items(), key=lambda item: len(item[1]))
    return kind.__name__, blocks


def _kinds(parents: Iterable[nn.Module]) -> dict[type, list[nn.Module]]:
    """Return the children of these modules that occur several times, by their classes."""
    kinds: dict[type, list[nn.Module]] = {}
    for parent in parents:
        for child in filter(is_block, parent.children()):
            kinds.setdefault(type(child), []).append(child)
    found = {kind: list(dict.fromkeys(blocks)) for kind, blocks in kinds.items()}
    return {kind: blocks for kind, blocks in found.items() if len(blocks) > 1}


def _size(blocks: list[nn.Module]) -> int:
    return sum(parameter.numel() for block in blocks for parameter in block.parameters())
