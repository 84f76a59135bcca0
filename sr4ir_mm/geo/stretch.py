"""The stretch of a raster: the values that become black and white."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..errors import SR4IRError

Stretch = str | Sequence | None
#: the value that becomes 0 and the one that becomes 255, of each band
Limits = list[tuple[float, float]]
#: percentiles of data whose range is unknown
DEFAULT = '2%,98%'


def parse_stretch(stretch: Stretch) -> tuple[Limits, bool] | None:
    """Read the option ``stretch``.

    Args:
        stretch (str or Sequence, optional): 'LOW,HIGH' or (low, high), which are numbers or percentiles such as '2%';
            or a pair of numbers for each band, 'LOW,HIGH;LOW,HIGH;LOW,HIGH' or a list of pairs.

    Returns:
        tuple, optional: One pair for all bands or one for each, and whether these are percentiles.

    Raises:
        SR4IRError: If it is something else.
    """
    if stretch is None:
        return None
    parts = stretch
    if isinstance(stretch, str):
        parts = [pair.split(',') for pair in stretch.split(';')] if ';' in stretch else stretch.split(',')
    try:
        are_pairs = all(isinstance(part, (list, tuple)) for part in parts)
        texts = [str(part).strip() for part in parts]
        are_percents = not are_pairs and all(text.endswith('%') for text in texts)
        pairs = parts if are_pairs else [[text.removesuffix('%') if are_percents else text for text in texts]]
        pairs = [(float(low), float(high)) for low, high in pairs]
    except (TypeError, ValueError):  # no numbers, or not two of them
        pairs, are_percents = [], False
    lowest, highest = (0, 100) if are_percents else (-math.inf, math.inf)
    numbers_fit = all(lowest <= low < high <= highest and math.isfinite(high - low) for low, high in pairs)
    if not (pairs and numbers_fit):
        raise SR4IRError(
            f'stretch={stretch!r} must be LOW,HIGH with LOW below HIGH: values such as 0,3000, or percentiles such as '
            f'{DEFAULT}.'
        )
    return pairs, are_percents


def format_stretch(limits: Limits | None) -> str:
    """Return limits in the form of the option, or 'none'."""
    pairs = [f'{float(low)!r},{float(high)!r}'.replace('.0,', ',').removesuffix('.0') for low, high in limits or ()]
    return ';'.join(pairs if len(set(pairs)) > 1 else pairs[:1]) or 'none'


def percentiles(values: np.ndarray, has_data: np.ndarray, low: float, high: float, is_whole: bool) -> Limits:
    """Return the percentiles of each band.

    Args:
        values (np.ndarray): Bands x h x w.
        has_data (np.ndarray): Which pixels count, h x w, bool.
        low, high (float): Percentiles, 0 to 100.
        is_whole (bool): Whether these are all pixels, so that a band may be empty or have one value only.

    Raises:
        SR4IRError: If they are no range. The message continues the raster's name.
    """
    found = []
    for band in values[:, has_data]:
        first, last = np.percentile(band, (low, high)).tolist() if band.size else (0.0, 0.0)
        if last <= first and (not is_whole or (band.size and band.min() < band.max())):
            what = f'the value {first:g} in most of its pixels' if band.size else 'hardly a pixel with data'
            raise SR4IRError(
                f'has {what}, so that percentiles are no range: set its nodata value (rio edit-info --nodata 0), '
                'or give the stretch as two values, LOW,HIGH.'
            )
        found.append((first, last if last > first else first + 1))
    return found


def apply_stretch(values: np.ndarray, limits: Limits) -> np.ndarray:
    """Map values to 8 bits: those at the lower limit and below become 0, those at the upper one and above 255.

    Args:
        values (np.ndarray): Bands x h x w of any real type, finite.
        limits (list[tuple[float, float]]): Limits of each band.

    Returns:
        np.ndarray: Image of the same shape, uint8.
    """
    image = np.empty(values.shape, np.uint8)
    for band, (low, high), target in zip(values, limits, image):
        levels = np.subtract(band, low, dtype=np.result_type(band.dtype, np.float32))
        levels *= 255 / (high - low)
        target[:] = np.clip(np.rint(levels, out=levels), 0, 255, out=levels)
    return image
