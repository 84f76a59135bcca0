"""The place of a raster on the earth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .gdal import library

if TYPE_CHECKING:
    from affine import Affine
    from rasterio.control import GroundControlPoint
    from rasterio.crs import CRS
    from rasterio.io import DatasetReader, DatasetWriter


class Place:
    """Reference system of a raster, and its transform or, if it has none, its ground control points.

    Args:
        source (DatasetReader): Open raster.
    """

    def __init__(self, source: DatasetReader) -> None:
        points, crs = source.gcps
        self.crs: CRS | None = source.crs or crs
        self.transform: Affine | None = None if source.transform.is_identity else source.transform
        self.points: Sequence[GroundControlPoint] = points if self.transform is None else ()

    def write(self, target: DatasetWriter, scale: int) -> None:
        """Give an image of the same extent its place.

        Args:
            target (DatasetWriter): Raster that is written.
            scale (int): Number of its pixels along one pixel of this raster.
        """
        if self.points:
            entries = [dict(point.asdict(), row=point.row * scale, col=point.col * scale) for point in self.points]
            target.gcps = ([library().control.GroundControlPoint(**entry) for entry in entries], self.crs)
            return
        if self.crs is not None:
            target.crs = self.crs
        if (t := self.transform) is not None:
            target.transform = type(t)(t.a / scale, t.b / scale, t.c, t.d / scale, t.e / scale, t.f)

    def coordinates(self, pixels: np.ndarray) -> np.ndarray:
        """Convert pixels to coordinates, of ground control points by GDAL's polynomial; without a place, keep them.

        Args:
            pixels (np.ndarray): N x 2, column and row; (0, 0) is the corner of the first pixel.

        Returns:
            np.ndarray: N x 2, x and y in the reference system.
        """
        columns, rows = np.asarray(pixels, float).reshape(-1, 2).T
        if (t := self.transform) is not None:
            return np.stack((t.a * columns + t.b * rows + t.c, t.d * columns + t.e * rows + t.f), -1)
        if not self.points:
            return np.stack((columns, rows), -1)
        with library().transform.GCPTransformer(self.points) as transformer:
            return np.stack(transformer.xy(rows, columns, offset='ul'), -1)

    def decimals(self) -> int:
        """Return how many decimals of a coordinate tell a thousandth of a pixel."""
        first, second = self.coordinates(np.array([[0, 0], [1, 1]]))
        return max(0, 3 - math.floor(math.log10(np.abs(second - first).max() or 1)))
