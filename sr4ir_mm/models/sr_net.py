"""Building the SR network."""

from bisect import bisect_left
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..errors import SR4IRError
from ..registry import MODELS
from ..utils import pad_to_multiple
from .recomputation import recompute_blocks
from .sr_checks import check_foreign, is_foreign


def build_sr(sr: dict | nn.Module | None, scale: int) -> tuple[nn.Module | None, dict | None]:
    """Build the SR network, check that it enlarges by ``scale``, and let it take images of any size.

    Args:
        sr (dict or nn.Module, optional): The network, or its config, which may hold, whether the network takes them or
            not, an ``init_cfg`` and ``with_cp=True``: its blocks then run again in the backward pass, which saves
            memory, see ``recompute_blocks``.
        scale (int): Up-sampling factor.

    Returns:
        tuple: The network, or None, and its ``init_cfg``, if any.

    Raises:
        SR4IRError: If the network does not take 3 channels, enlarges by another factor, or has no blocks for
            ``with_cp``.
    """
    init_cfg = None
    if isinstance(sr, dict):
        sr = dict(sr)
        init_cfg, with_cp = sr.pop('init_cfg', None), sr.pop('with_cp', False)
        sr = build_net(sr)
        if with_cp:
            recompute_blocks(sr)
    if sr is not None:
        divisor, smallest = _needed_sizes(sr, scale)
        if smallest > 1:
            sr.forward = AnySizeForward(sr, scale, divisor, smallest)
        if is_foreign(sr):
            check_foreign(sr)
    return sr, init_cfg


def build_net(cfg: dict) -> nn.Module:
    """Build a network; types in it that have no scope are of the same library, whatever that of the task network is."""
    scope, dot, _ = str(cfg['type']).rpartition('.')
    return MODELS.build({'_scope_': scope, **cfg} if dot else cfg)


@dataclass
class AnySizeForward:
    """The ``forward`` of an SR network that does not take images of any size: pad, run, crop.

    It replaces the network's own as an attribute. A wrapper module would change the names of the weights, and a class
    that is made at run time could not be pickled.

    Args:
        net (nn.Module): The SR network.
        scale (int): Up-sampling factor.
        divisor (int): Divisor of the sides of its images.
        smallest (int): Smallest side of its images, a multiple of ``divisor``.
    """

    net: nn.Module
    scale: int
    divisor: int
    smallest: int

    def __call__(self, x: Tensor) -> Tensor:
        """N x 3 x h x w, any size, to N x 3 x (scale h) x (scale w)."""
        height, width = x.shape[-2:]
        if self.divisor > 1 or height < self.smallest or width < self.smallest:
            x = pad_to_multiple(x, self.divisor, smallest=self.smallest)
        out = type(self.net).forward(self.net, x)
        return out[..., : height * self.scale, : width * self.scale]


def _needed_sizes(sr: nn.Module, scale: int) -> tuple[int, int]:
    """Find divisor and smallest size of the sides when the model is built: a later batch would be too late."""
    training = sr.training
    sr.eval()
    for divisor in (1, 2, 4, 8, 16, 32):
        count = 16 // divisor | 1  # 17 to 32 px, an odd multiple
        problem = _problem(sr, scale, divisor * count)
        if not problem:
            break
    if problem:
        raise SR4IRError(f'The SR network ({type(sr).__name__}) {problem}')
    # networks with windows pad by reflection, which needs more than half a window
    counts = range(1, count) if _problem(sr, scale, divisor) else []
    smallest = divisor * (1 + bisect_left(counts, True, key=lambda count: not _problem(sr, scale, divisor * count)))
    sr.train(training)
    return divisor, smallest


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
