"""``torch.compile`` for the parts of SR4IR in which it works: S, and the backbone and neck of T."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ..errors import SR4IRError
from ..utils import unwrap

#: parts of the task networks of mmseg, mmdet and mmpretrain whose computation depends only on the size of the image
_TASK_PARTS = ('backbone', 'neck')


@dataclass
class CompiledForward:
    """The ``forward`` of a network, compiled; it replaces the network's own as an attribute.

    ``nn.Module.compile`` would compile the hooks of the network too, and leave out those in it without a word.
    Here a network in which hooks wait for features runs as it was.

    Args:
        net (nn.Module): The network.
        owner (Any): First argument of the functions: the network, or what stands for its ``forward`` already.
        plain (Callable): Function as it was.
        compiled (Callable): Function compiled. It belongs to no network, so that a copy of one has its own weights.
    """

    net: nn.Module
    owner: Any
    plain: Callable
    compiled: Callable

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the network."""
        inner = (part for part in self.net.modules() if part is not self.net)
        hooked = any(part._forward_hooks or part._forward_pre_hooks for part in inner)
        return (self.plain if hooked else self.compiled)(self.owner, *args, **kwargs)


def compile_networks(model: nn.Module, **options: Any) -> list[str]:
    """Compile the networks of an :class:`SR4IR` model in place; the names of its weights stay.

    Args:
        model (SR4IR): The model, whose networks may be wrapped for distributed training.
        **options: Arguments of ``torch.compile``, such as ``mode`` and ``backend``.

    Returns:
        list[str]: Names of the compiled parts.

    Raises:
        SR4IRError: If the machine has no C++ compiler, or PyTorch does not compile here.
    """
    if options.get('backend', 'inductor') == 'inductor' and not _compiler():
        raise SR4IRError(
            'torch.compile needs a C++ compiler, and none was found: install g++ or set CXX, or leave out --compile.'
        )
    sr, task = unwrap(model.sr), unwrap(model.task)
    parts = {'sr': sr} | {f'task.{name}': getattr(task, name, None) for name in _TASK_PARTS}
    parts = {name: net for name, net in parts.items() if isinstance(net, nn.Module)}
    for net in parts.values():
        own = vars(net).get('forward')  # of an SR network that does not take images of any size
        owner, plain = (net, type(net).forward) if own is None else (own, type(own).__call__)
        try:
            net.forward = CompiledForward(net, owner, plain, torch.compile(plain, **options))
        except RuntimeError as error:  # this version of PyTorch does not compile on this one of Python
            raise SR4IRError(f'torch.compile: {error}. Leave out --compile.') from error
    return list(parts)


def _compiler() -> str | None:
    return next(filter(None, map(shutil.which, (os.environ.get('CXX') or 'g++', 'clang++'))), None)
