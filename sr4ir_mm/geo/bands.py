"""The bands of a raster that become an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import SR4IRError

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

Bands = str | int | Sequence[int] | None


def parse_bands(bands: Bands) -> list[int] | None:
    """Read the option ``bands``.

    Args:
        bands (str, int or Sequence[int], optional): One number from 1, or three, such as '4,3,2' or (4, 3, 2).

    Raises:
        SR4IRError: If it is something else.
    """
    if bands is None:
        return None
    parts = bands.split(',') if isinstance(bands, str) else [bands] if isinstance(bands, int) else bands
    try:
        numbers = [int(str(part)) for part in parts]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) not in (1, 3) or min(numbers) < 1:
        raise SR4IRError(
            f'bands={bands!r} must be three numbers in the order red, green, blue, such as 4,3,2, or one for gray; the '
            'first band is 1.'
        )
    return numbers


def choose_bands(source: DatasetReader, bands: Bands = None) -> list[int]:
    """Return the numbers of the bands to read.

    By default, these are the ones that the file calls red, green and blue, else the first three, or the only one.

    Raises:
        SR4IRError: If the file does not have them, or their values make no image. The message continues its name.
    """
    chosen = parse_bands(bands) or _default(source)
    if max(chosen) > source.count:
        raise SR4IRError(f'has {source.count} band(s), but band {max(chosen)} is asked for: choose other bands.')
    dtypes = {source.dtypes[band - 1] for band in chosen}
    if len(dtypes) > 1 or 'complex' in ''.join(dtypes):
        found = ', '.join(sorted(dtypes))
        raise SR4IRError(f'has bands of type {found}, which make no image: convert them to real values of one type.')
    if bands is None and _meanings(source) == ['palette'] and bits(source, chosen) > 1:
        raise SR4IRError('has colors by number: convert it with gdal_translate -expand rgb, or set bands=1 for gray.')
    return chosen


def bits(source: DatasetReader, bands: Sequence[int]) -> int:
    """Return the bits of the values of bands of the type uint8, or 0 for other types."""
    if source.dtypes[bands[0] - 1] != 'uint8':
        return 0
    return max(int(source.tags(band, ns='IMAGE_STRUCTURE').get('NBITS', 8)) for band in bands)


def _default(source: DatasetReader) -> list[int]:
    meanings = _meanings(source)
    colors = [meanings.index(name) + 1 for name in ('red', 'green', 'blue') if meanings.count(name) == 1]
    if len(colors) == 3:
        return colors
    others = [i + 1 for i, name in enumerate(meanings) if name != 'alpha']
    if len(others) == 2:
        raise SR4IRError('has two bands: choose one of them for gray, or three numbers, with bands, such as 1,2,2.')
    return others[:3]


def _meanings(source: DatasetReader) -> list[str]:
    return [meaning.name for meaning in source.colorinterp]
