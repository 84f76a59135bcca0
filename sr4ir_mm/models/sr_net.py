"""Building the SR network."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..errors import SR4IRError
from ..registry import MODELS
from ..utils import pad_to_multiple


def build_sr(sr: dict | nn.Module | None, scale: int) -> tuple[nn.Module | None, dict | None]:
    """Build the SR network, check that it enlarges by ``scale``, and let it take images of any size.

    Args:
        sr (dict or nn.Module, optional): The network, or its config, which may hold an ``init_cfg`` whether the
            network takes one or not: most SR networks of mmagic do not.
        scale (int): Up-sampling factor.

    Returns:
        tuple: The network, or None, and its ``init_cfg``, if any.

    Raises:
        SR4IRError: If the network does not take 3 channels or enlarges by another factor.
    """
    init_cfg = None
    if isinstance(sr, dict):
        sr = dict(sr)
        init_cfg = sr.pop('init_cfg', None)
        sr = build_net(sr)
    if sr is not None:
        divisor = _size_divisor(sr, scale)
        if divisor > 1:
            sr.forward = AnySizeForward(sr, scale, divisor)
    return sr, init_cfg


def build_net(cfg: dict) -> nn.Module:
    """Build a network; types in it that have no scope are of the same library, whatever that of the task network is."""
    scope, dot, _ = str(cfg['type']).rpartition('.')
    return MODELS.build({'_scope_': scope, **cfg} if dot else cfg)


@dataclass
class AnySizeForward:
    """The ``forward`` of an SR network that takes multiples of ``divisor`` only: pad, run, crop.

    It replaces the network's own as an attribute. A wrapper module would change the names of the weights, and a class
    that is made at run time could not be pickled.

    Args:
        net (nn.Module): The SR network.
        scale (int): Up-sampling factor.
        divisor (int): Divisor of the sides of its images.
    """

    net: nn.Module
    scale: int
    divisor: int

    def __call__(self, x: Tensor) -> Tensor:
        """N x 3 x h x w, any size, to N x 3 x (scale h) x (scale w)."""
        height, width = x.shape[-2:]
        out = type(self.net).forward(self.net, pad_to_multiple(x, self.divisor))
        return out[..., : height * self.scale, : width * self.scale]


def _size_divisor(sr: nn.Module, scale: int) -> int:
    """Find the divisor that the sides need, when the model is built: a later batch would be too late for an error."""
    training = sr.training
    sr.eval()
    for divisor in (1, 2, 4, 8, 16, 32):
        problem = _problem(sr, scale, divisor * (16 // divisor | 1))  # 17 to 32 px, an odd multiple
        if not problem:
            break
    sr.train(training)
    if problem:
        raise SR4IRError(f'The SR network ({type(sr).__name__}) {problem}')
    return divisor


@torch.no_grad()
def _problem(sr: nn.Module, scale: int, size: int) -> str | None:
    try:
        out = tuple(sr(torch.zeros(1, 3, size, size)).shape)
    except Exception as error:  # of many kinds; shown to the user if no other size works
        return f'does not take a 3-channel image of {size} x {size} px: {type(error).__name__}: {error}'
    if out == (1, 3, size * scale, size * scale):
        return None
    return (
        f'turns a 1 x 3 x {size} x {size} image into {" x ".join(map(str, out))}, but scale={scale} needs '
        f'1 x 3 x {size * scale} x {size * scale}: set the same scale in the SR network and in the config.'
    )
