"""Sizes of images that networks of patches take."""

import math
from collections.abc import Sequence
from typing import Any

from ...errors import SR4IRError

#: smaller patches pad by themselves, or leave out fewer pixels than the stages behind them
_LEAST = 8
#: model types whose grid of patches is that of the config
_FIXED = ('eomt', 'eomt_dinov3')
#: model types that take the number of patches for that of a square, always or if they have windows
_SQUARE, _SQUARE_WINDOWS = ('dpt',), ('rf_detr_dinov2',)


def side_of(config: Any) -> int | None:
    """Return the height and width of the images that a network of transformers takes, None if it takes others, too."""
    return config.image_size if config.model_type in _FIXED else None


def takes_squares(config: Any) -> bool:
    """Return whether a network of transformers takes square images alone, of one size or of several."""
    has_windows = any(part.model_type in _SQUARE_WINDOWS and part.num_windows > 1 for part in _parts(config))
    return has_windows or config.model_type in _SQUARE or side_of(config) is not None


def patch_of(config: Any) -> int:
    """Return what sides of images must be multiples of, so that a network of transformers takes all of their pixels.

    Args:
        config (PreTrainedConfig): Config of the network; those of its parts count, too.
    """
    return math.lcm(*(patch for part in _parts(config) for patch in _patches(part)))


def check_patches(name: str, config: Any, size: Sequence[int]) -> None:
    """Check that a network takes images of this height and width, and that its patches divide them.

    Raises:
        SR4IRError: If they do not.
    """
    if not all(isinstance(side, int) for side in size):  # of an export, whose data preprocessor pads
        return
    _check_shape(name, config, *size)
    patch = patch_of(config)
    if patch < _LEAST or not any(side % patch for side in size):
        return
    height, width = size
    raise SR4IRError(
        f'{name} would leave out the border of {width} x {height} px, which its patches do not divide: set '
        f'pad_size_divisor={patch} of the data preprocessor (of mmseg: size_divisor={patch}, or a size that is a '
        f"multiple, and test_cfg=dict(size_divisor={patch}); for windows, a multiple as the network's crop_size)."
    )


def _check_shape(name: str, config: Any, height: int, width: int) -> None:
    side = side_of(config)
    if side and {height, width} != {side}:
        raise SR4IRError(
            f'{name} takes images of {side} x {side} px alone, not {width} x {height} px: set crops of this size in '
            'the pipeline of the training and as size of the data preprocessor; for tests, leave test_cfg of the task '
            f"network out, or set windows, dict(mode='slide', crop_size=({side}, {side}), stride=({side}, {side}))."
        )
    if height != width and takes_squares(config):
        patch = patch_of(config)
        side = patch * max(1, round((height * width) ** 0.5 / patch))
        raise SR4IRError(
            f'{name} takes square images alone, not {width} x {height} px: set Resize(scale=({side}, {side}), '
            'keep_ratio=False) in the pipelines.'
        )


def _parts(config: Any) -> list[Any]:
    parts = config, *(getattr(config, name, None) for name in ('backbone_config', 'vision_config'))
    return [part for part in parts if part is not None]


def _patches(part: Any) -> list[int]:
    if hasattr(part, 'masked_unit_size'):  # Hiera, whose units are of several patches
        return [stride * unit for stride, unit in zip(part.patch_stride, part.masked_unit_size)]
    if hasattr(part, 'patch_sizes'):  # of stages that overlap
        return []
    patch = getattr(part, 'patch_size', None) or 1
    windows = getattr(part, 'num_windows_side', None) or getattr(part, 'num_windows', None) or 1  # of LW- and RF-DETR
    return [windows * side for side in ([patch] if isinstance(patch, int) else patch)]
