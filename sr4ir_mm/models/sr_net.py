"""Building S."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import SR4IRError
from ..registry import MODELS


def build_sr(sr: dict | nn.Module | None, scale: int) -> tuple[nn.Module | None, dict | None]:
    """Build S, see that it enlarges by ``scale``, and let it take images of any size.

    Args:
        sr (dict or nn.Module, optional): S, or its config, which may hold an ``init_cfg`` whether the net takes one or
            not: most SR nets of mmagic do not.
        scale (int): Up-sampling factor.

    Returns:
        tuple: S, or None, and its ``init_cfg``, if any.

    Raises:
        SR4IRError: If S does not take 3 channels or enlarges by another factor.
    """
    init_cfg = None
    if isinstance(sr, dict):
        sr = dict(sr)
        init_cfg = sr.pop('init_cfg', None)
        sr = MODELS.build(sr)
    if sr is not None:
        divisor = _size_divisor(sr, scale)
        if divisor > 1:
            _take_any_size(sr, scale, divisor)
    return sr, init_cfg


def _size_divisor(sr: nn.Module, scale: int) -> int:
    """What the sides of S's images must be multiples of: neither that nor a wrong scale must wait for some batch."""
    training = sr.training
    sr.eval()
    for divisor in (1, 2, 4, 8, 16, 32):
        problem = _problem(sr, scale, divisor * (16 // divisor | 1))  # 17 to 32 px, an odd multiple
        if not problem:
            break
    sr.train(training)
    if problem:
        raise SR4IRError(f'S ({type(sr).__name__}) {problem}')
    return divisor


@torch.no_grad()
def _problem(sr: nn.Module, scale: int, size: int) -> str | None:
    try:
        out = tuple(sr(torch.zeros(1, 3, size, size)).shape)
    except Exception as error:  # of many kinds; told to the user, if no other size does
        return f'does not take a 3-channel image of {size} x {size} px: {type(error).__name__}: {error}'
    if out == (1, 3, size * scale, size * scale):
        return None
    return (
        f'turns a 1 x 3 x {size} x {size} image into {" x ".join(map(str, out))}, but scale={scale} needs '
        f'1 x 3 x {size * scale} x {size * scale}: make the scale of S and of the config agree.'
    )


def _take_any_size(sr: nn.Module, scale: int, divisor: int) -> None:
    """Pad the input and crop the output. By a subclass, as a wrapper would change the names of the weights."""
    kind = type(sr)

    def forward(self: nn.Module, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        x = F.pad(x, (0, -width % divisor, 0, -height % divisor), mode='replicate')
        return kind.forward(self, x)[..., : height * scale, : width * scale]

    sr.__class__ = type(kind.__name__, (kind,), dict(forward=forward, __module__=kind.__module__))
