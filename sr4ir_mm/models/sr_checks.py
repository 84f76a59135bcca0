"""What is checked once of an SR network of other authors, before it is trained."""

import copy
import logging

import torch
from mmengine.logging import print_log
from torch import nn

from ..errors import SR4IRError
from .loads import first_few


def is_foreign(sr: nn.Module) -> bool:
    """Return whether a network, or a part of it, is neither of mmagic nor of this package."""
    homes = {type(module).__module__.partition('.')[0] for module in sr.modules()}
    return not homes <= {'mmagic', 'mmcv', 'mmengine', 'sr4ir_mm', 'torch'}


def check_foreign(sr: nn.Module, size: int = 24) -> None:
    """Check that a network leaves its input as it is, repeats itself in eval mode, and learns with all its weights.

    Args:
        sr (nn.Module): SR network for images of any size; it stays as it is.
        size (int): Sides of the image that is tried.

    Raises:
        SR4IRError: If it changes its input: all that comes after it would receive another LR image.
    """
    name = type(sr).__name__
    image = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    given = image.clone()
    with torch.random.fork_rng(devices=[]):
        tried = copy.deepcopy(sr).eval()
        with torch.no_grad():
            first, second = tried(image), tried(image)
        idle = _idle(tried.train(), given)
    if not torch.equal(image, given):
        raise SR4IRError(f'The SR network ({name}) changes the image that it receives: let it work on x.clone().')
    if not torch.equal(first, second):
        _warn(f'The SR network ({name}) returns another image each time, also in eval mode: so will tests.')
    if idle:
        _warn(
            f'{len(idle)} parameters of the SR network ({name}) get no gradient and stay as they are: {first_few(idle)}'
        )


def _idle(sr: nn.Module, image: torch.Tensor) -> list[str]:
    """Return the names of the trainable parameters that the output of a network does not depend on."""
    named = {name: value for name, value in sr.named_parameters() if value.requires_grad}
    with torch.enable_grad():
        out = sr(torch.cat([image, image]))  # BatchNorm needs two
        gradients = torch.autograd.grad(out.sum(), list(named.values()), allow_unused=True) if named else ()
    return [name for name, gradient in zip(named, gradients) if gradient is None]


def _warn(text: str) -> None:
    print_log(text, 'current', logging.WARNING)
