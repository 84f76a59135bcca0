"""Building S."""

import torch
from torch import nn

from ..errors import SR4IRError
from ..registry import MODELS


def build_sr(sr: dict | nn.Module | None, scale: int) -> tuple[nn.Module | None, dict | None]:
    """Build S and see that it enlarges by ``scale``.

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
        _check_scale(sr, scale)
    return sr, init_cfg


@torch.no_grad()
def _check_scale(sr: nn.Module, scale: int, size: int = 16) -> None:
    """Run S once on a small image: a wrong scale must not wait for the first batch."""
    training, name = sr.training, f'S ({type(sr).__name__})'
    try:
        out = tuple(sr.eval()(torch.zeros(1, 3, size, size)).shape)
    except RuntimeError as error:
        raise SR4IRError(f'{name} does not take a 3-channel image of {size} x {size} px: {error}') from error
    finally:
        sr.train(training)
    if out != (1, 3, size * scale, size * scale):
        raise SR4IRError(
            f'{name} turns a 1 x 3 x {size} x {size} image into {" x ".join(map(str, out))}, but scale={scale} needs '
            f'1 x 3 x {size * scale} x {size * scale}: make the scale of S and of the config agree.'
        )
