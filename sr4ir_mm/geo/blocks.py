"""Reading values of a raster, where some of its blocks may be broken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from .gdal import CACHE, environment, gdal_errors, library, reason

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

#: usual side of windows in pixels
_WINDOW = 512
#: left, top, right, bottom in pixels
Window = tuple[int, int, int, int]
#: values, bands x h x w, and which pixels hold data, h x w, bool
Values = tuple[np.ndarray, np.ndarray]


class BlockReader:
    """Values of some bands, and which pixels hold data; threads take turns.

    Args:
        source (DatasetReader): Open raster.
        bands (Sequence[int]): Numbers of the bands, from 1.

    Attributes:
        broken (list): Windows that could not be read, and the reasons.
    """

    def __init__(self, source: DatasetReader, bands: Sequence[int]) -> None:
        self.source = source
        self.bands = list(bands)
        self.broken: list[tuple[Window, str]] = []
        self._lock = Lock()

    def read(self, window: Window) -> Values:
        """Read a window; blocks that cannot be read hold no data, and are noted."""
        left, top, right, bottom = window
        return self._read(window, (bottom - top, right - left))

    def decimated(self, side: int) -> Values:
        """Read the whole raster with fewer pixels, the longer side at most ``side``."""
        height, width = self.source.shape
        factor = max(height / side, width / side, 1)
        return self._read((0, 0, width, height), (max(int(height / factor), 1), max(int(width / factor), 1)))

    def has_long_rows(self) -> bool:
        """Return whether GDAL's cache is too small for a row of windows, so that each window decodes blocks again."""
        is_mixed = getattr(self.source.interleaving, 'name', '') == 'pixel'
        size = np.dtype(self.source.dtypes[self.bands[0] - 1]).itemsize
        size *= self.source.count if is_mixed else len(self.bands)
        return self.source.block_shapes[0][1] * _WINDOW * size > CACHE

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self.source.close()

    def _read(self, window: Window, shape: tuple[int, int]) -> Values:
        try:
            return self._fetch(window, shape)
        except gdal_errors():
            return self._salvage(window, shape)

    def _fetch(self, window: Window, shape: tuple[int, int]) -> Values:
        left, top, right, bottom = window
        place = library().windows.Window(left, top, right - left, bottom - top)
        with self._lock, environment():
            values = self.source.read(self.bands, window=place, out_shape=(len(self.bands), *shape))
            has_data = self._mask(place, shape)
        if values.dtype.kind == 'f':
            has_data &= np.isfinite(values).all(0)
        return values, has_data

    def _mask(self, place: Any, shape: tuple[int, int]) -> np.ndarray:
        """Return which pixels hold data in any of the bands, as rasterio's ``dataset_mask`` does it."""
        everywhere = library().enums.MaskFlags.all_valid
        if any(everywhere in self.source.mask_flag_enums[band - 1] for band in self.bands):
            return np.ones(shape, bool)
        return self.source.read_masks(self.bands, window=place, out_shape=(len(self.bands), *shape)).any(0)

    def _salvage(self, window: Window, shape: tuple[int, int]) -> Values:
        """Read piece by piece what can be read."""
        dtype = self.source.dtypes[self.bands[0] - 1]
        values, has_data = np.zeros((len(self.bands), *shape), dtype), np.zeros(shape, bool)
        is_decimated = shape != (window[3] - window[1], window[2] - window[0])
        for piece, whole, rows, columns in self._pieces(window, shape):
            part = (rows.stop - rows.start, columns.stop - columns.start)
            try:
                values[:, rows, columns], has_data[rows, columns] = self._fetch(piece, part)
            except gdal_errors() as error:
                if not is_decimated and all(whole != known for known, _ in self.broken):
                    self.broken.append((whole, reason(error)))
        return values, has_data

    def _pieces(self, window: Window, shape: tuple[int, int]) -> Iterator[tuple[Window, Window, slice, slice]]:
        """Yield pieces of a window along the blocks of the file, whole blocks, and places in an array of a shape."""
        axes = []
        sides = zip(window[1::-1], window[:1:-1], self.source.shape, shape, self.source.block_shapes[0])
        for low, high, side, length, block in sides:
            step = block * -(-(high - low) // (16 * block))  # 16 of them are enough
            edges = [low, *range((low // step + 1) * step, high, step), high]
            places = [round((edge - low) * length / (high - low)) for edge in edges]
            ends = [(start // step * step, min(start // step * step + step, side)) for start in edges[:-1]]
            axes.append(list(zip(edges, edges[1:], ends, map(slice, places, places[1:]))))
        for (top, bottom, y, rows), (left, right, x, columns) in product(*axes):
            if rows.start < rows.stop and columns.start < columns.stop:
                yield (left, top, right, bottom), (x[0], y[0], x[1], y[1]), rows, columns
