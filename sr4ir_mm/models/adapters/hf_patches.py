"""Sizes of images that networks of patches take."""

import math
from collections.abc import Sequence
from typing import Any

from ...errors import SR4IRError

#: smaller patches pad by themselves, or leave out fewer pixels than the stages behind them
_LEAST = 8


def patch_of(config: Any) -> int:
    """Return what sides of images must be multiples of, so that a network of transformers takes all of their pixels.

    Args:
        config (PreTrainedConfig): Config of the network; those of its parts count, too.
    """
    parts = config, *(getattr(config, name, None) for name in ('backbone_config', 'vision_config'))
    return math.lcm(*(patch for part in parts for patch in _patches(part)))


def check_patches(name: str, config: Any, size: Sequence[int]) -> None:
    """Check that the patches of a network divide the height and the width of images.

    Raises:
        SR4IRError: If they do not.
    """
    patch = patch_of(config)
    if not all(isinstance(side, int) for side in size):  # of an export, whose data preprocessor pads
        return
    if patch < _LEAST or not any(side % patch for side in size):
        return
    height, width = size
    raise SR4IRError(
        f'{name} would leave out the border of {width} x {height} px, which its patches do not divide: set '
        f'pad_size_divisor={patch} of the data preprocessor (of mmseg: size_divisor={patch}, or a size that is a '
        f"multiple, and test_cfg=dict(size_divisor={patch}); for windows, a multiple as the network's crop_size)."
    )


def _patches(part: Any) -> list[int]:
    if hasattr(part, 'masked_unit_size'):  # Hiera, whose units are of several patches
        return [stride * unit for stride, unit in zip(part.patch_stride, part.masked_unit_size)]
    if hasattr(part, 'patch_sizes'):  # of stages that overlap
        return []
    patch = getattr(part, 'patch_size', None) or 1
    return [patch] if isinstance(patch, int) else list(patch)
