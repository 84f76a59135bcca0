"""How image processors of transformers normalize images."""

import copy
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import SR4IRError

#: steps that change sizes, which are those of the pipelines here
_SIZES = ('do_resize', 'do_center_crop', 'do_pad')


def normalization_of(processor: Any) -> dict[str, Any]:
    """Return how an image processor normalizes: what it does to a black and to a red image of 8 bits.

    Returns:
        dict: ``mean`` and ``std`` of the channels as the network receives them, in gray levels, and ``rgb``.

    Raises:
        SR4IRError: If it makes no image of three channels, or does something else to colors.
    """
    processor = copy.copy(processor)
    for step in _SIZES:
        if hasattr(processor, step):
            setattr(processor, step, False)
    black, white, red = (_center(processor, color) for color in ((0, 0, 0), (255, 255, 255), (255, 0, 0)))
    rgb = abs(red[0] - white[0]) < abs(red[2] - white[2])
    _check_colors(processor, black, white, red, 0 if rgb else 2)
    std = [255 / (high - low) for low, high in zip(black, white)]
    mean = [-low * spread for low, spread in zip(black, std)]
    mean, std = (_exact(given, found) for given, found in zip(_given(processor), (mean, std)))
    return dict(mean=mean, std=std, rgb=rgb)


def _given(processor: Any) -> list[list[float]]:
    """Return mean and deviation as an image processor names them, in gray levels."""
    factor = 1 / getattr(processor, 'rescale_factor', 1 / 255) if getattr(processor, 'do_rescale', True) else 1.0
    timm = getattr(processor, 'data_config', {})  # of TimmWrapperImageProcessor, which has nothing else of these
    given = [getattr(processor, f'image_{key}', None) or timm.get(key) or 0.0 for key in ('mean', 'std')]
    if not getattr(processor, 'do_normalize', True):
        given = [0.0, 1.0]
    return [(np.broadcast_to(values, 3) * factor).tolist() for values in given]  # one value is for all channels


def _exact(given: Sequence[float], found: Sequence[float]) -> list[float]:
    """Return the given values, unless they are not what was found: EfficientNet's processor normalizes twice."""
    return [round(g if math.isclose(g, f, abs_tol=1e-2) else f, 6) for g, f in zip(given, found)]


def _check_colors(
    processor: Any, black: Sequence[float], white: Sequence[float], red: Sequence[float], place: int
) -> None:
    """Check that each channel of the result is one of the image, red at its place, and larger in lighter images."""
    expected = [*black[:place], white[place], *black[place + 1 :]]
    if all(high > low for low, high in zip(black, white)) and np.allclose(red, expected, rtol=1e-2, atol=1e-2):
        return
    raise SR4IRError(
        f'{type(processor).__name__} does not normalize each channel by a mean and a deviation: black becomes '
        f'{black}, white {white}, red {red}. Correct its entries in preprocessor_config.json, or set mean, std and the '
        'channel order of model.task.data_preprocessor.'
    )


def _center(processor: Any, color: Sequence[int]) -> list[float]:
    image = np.full((64, 64, 3), color, np.uint8)
    pixels = processor(images=image, return_tensors='pt')['pixel_values']
    if pixels.ndim != 4 or pixels.shape[1] != 3:
        raise SR4IRError(
            f'{type(processor).__name__} makes {tuple(pixels.shape)} of an image, but the task network has to take '
            'images of 3 channels, N x 3 x H x W: choose another one.'
        )
    return pixels[0, :, pixels.shape[2] // 2, pixels.shape[3] // 2].tolist()
