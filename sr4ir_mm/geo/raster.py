"""A raster that is read by windows as images of 8 bits."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log

from ..errors import SR4IRError
from .bands import Bands, bits, choose_bands, parse_bands
from .blocks import BlockReader, Window
from .files import identify, is_raster, open_raster
from .gdal import environment
from .place import Place
from .stretch import DEFAULT, Limits, Stretch, apply_stretch, format_stretch, parse_stretch, percentiles

__all__ = ['RasterScene', 'is_raster']

#: longest side of the decimated read that percentiles are of
_SAMPLE = 1024


class RasterScene:
    """A GeoTIFF, COG, VRT or other raster file, read by windows as images of 8 bits.

    Memory depends on the windows, not on the scene. Pixels without data are black: those that the nodata values of all
    chosen bands, a mask band or an alpha band mark, and those that are NaN or infinite in any chosen band. Threads take
    turns.

    Args:
        path (str or Path): Local file.
        bands (str, int or Sequence[int], optional): Three numbers from 1 in the order R, G, B, or one for gray; also
            as '4,3,2'. By default those that the file calls red, green and blue, else 1, 2, 3, or the only one.
        stretch (str or Sequence, optional): Values that become 0 and 255, the same in the whole scene: 'LOW,HIGH' or
            (low, high), a pair for each band, or percentiles of each band in a decimated read, '2%,98%'. Without it,
            values of 8 bits stay as they are, and others are stretched by these percentiles, which is logged.
        quiet (bool): Whether nothing is logged.

    Raises:
        SR4IRError: If rasterio is not installed, the file cannot be read, or the options do not fit it.

    Attributes:
        size (tuple[int, int]): Height and width.
        bands (list[int]): Numbers of the bands that are read.
        stretch (list[tuple[float, float]], optional): Range of each of them; None if values stay as they are.
        broken (list): Windows that could not be read, and the reasons.
        place (Place): Reference system and transform.

    Example:
        >>> scene = RasterScene('scene.tif', bands=(4, 3, 2), stretch=(0, 3000))
        >>> image, has_data = scene.read((0, 0, 512, 512))  # 512 x 512 x 3, uint8, BGR; 512 x 512, bool
    """

    def __init__(self, path: str | Path, bands: Bands = None, stretch: Stretch = None, quiet: bool = False) -> None:
        self.path = str(path)
        bands, wanted = parse_bands(bands), parse_stretch(stretch)
        with environment():
            source, self._files = open_raster(path)
            try:
                self.bands = choose_bands(source, bands)
                self.size: tuple[int, int] = source.shape
                self.place = Place(source)
                self._reader = BlockReader(source, self.bands)
                self.stretch = self._resolve(wanted)
            except SR4IRError as error:
                source.close()
                raise SR4IRError(f"'{path}' {error}") from error
        self.broken = self._reader.broken
        if not quiet:
            self._log(wanted is None and not bits(source, self.bands))

    @property
    def identity(self) -> dict[str, Any]:
        """What changes if the content of the files or the way of reading changes; plain data for JSON."""
        stretch = self.stretch and [list(limits) for limits in self.stretch]
        return dict(identify(self.path, self._files), bands=self.bands, stretch=stretch)

    def read(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """Read a window.

        Blocks of the file that cannot be read hold no data; they are noted in ``broken``.

        Args:
            window (tuple[int, int, int, int]): Left, top, right, bottom in pixels, inside the scene.

        Returns:
            tuple[np.ndarray, np.ndarray]: Image, h x w x 3, uint8, BGR; which pixels hold data, h x w, bool.
        """
        return self._image(*self._reader.read(window))

    def overview(self, side: int) -> np.ndarray:
        """Read the whole scene with fewer pixels, from its overviews if it has some.

        Args:
            side (int): Largest length of the longer side of the result.

        Returns:
            np.ndarray: h x w x 3, uint8, BGR.
        """
        return self._image(*self._reader.decimated(side))[0]

    def close(self) -> None:
        """Close the file."""
        self._reader.close()

    def __enter__(self) -> RasterScene:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    def _resolve(self, wanted: tuple[Limits, bool] | None) -> Limits | None:
        """Return the limits of each band; percentiles are measured."""
        depth = bits(self._reader.source, self.bands)
        if wanted is None and depth == 8:
            return None
        limits, are_percents = wanted or (([(0, 2**depth - 1)], False) if depth else parse_stretch(DEFAULT))
        if are_percents:
            is_whole = max(self.size) <= _SAMPLE
            limits = percentiles(*self._reader.decimated(_SAMPLE), *limits[0], is_whole)
        if len(limits) not in (1, len(self.bands)):
            raise SR4IRError(f'is read with {len(self.bands)} band(s), but the stretch has {len(limits)} ranges.')
        return limits * (len(self.bands) // len(limits))

    def _log(self, is_usual: bool) -> None:
        if is_usual:
            print_log(f"'{self.path}' is stretched: {format_stretch(self.stretch)} (percentiles {DEFAULT})", 'current')
        if self._reader.has_long_rows():
            advice = 'is stored in long rows, which each window decodes again: gdal_translate -of COG makes tiles'
            print_log(f"'{self.path}' {advice}", 'current', logging.WARNING)

    def _image(self, values: np.ndarray, has_data: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if not has_data.any():
            return np.zeros((*has_data.shape, 3), np.uint8), has_data
        np.copyto(values, 0, where=~has_data)  # NaN is nothing that could be converted
        image = values if self.stretch is None else apply_stretch(values, self.stretch)
        np.copyto(image, 0, where=~has_data)
        bgr = np.broadcast_to(image, (3, *has_data.shape))[::-1]
        return np.ascontiguousarray(bgr.transpose(1, 2, 0)), has_data
