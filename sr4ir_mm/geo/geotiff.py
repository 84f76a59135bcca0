"""Writing results as GeoTIFF, piece by piece."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..utils import new_file
from .gdal import environment, gdal_errors, library, reason
from .raster import RasterScene
from .stretch import format_stretch

if TYPE_CHECKING:
    from rasterio.io import DatasetWriter


def write_geotiff(
    path: str | Path,
    blocks: Iterable[np.ndarray],
    scene: RasterScene,
    scale: int,
    *,
    bands: int = 1,
    dtype: str = 'uint8',
    nodata: float | None = None,
    colors: Sequence[Sequence[int]] | None = None,
    classes: Sequence[str] | None = None,
    tags: Mapping[str, Any] | None = None,
) -> None:
    """Write an image of the same extent as a scene: tiled, compressed, with its place; complete or not at all.

    Memory holds one row of tiles. The tags have the bands and the stretch that the scene was read with.

    Args:
        path (str or Path): File.
        blocks (Iterable[np.ndarray]): Pieces from top to bottom over the full width, rows x width or bands x rows x
            width.
        scene (RasterScene): Scene that the image was made of.
        scale (int): Number of pixels of the image along one pixel of the scene.
        bands (int): 1, or 3 for RGB, or 4 for RGB and alpha, which is 0 where the scene has no data.
        dtype (str): Type of the values.
        nodata (float, optional): Value of pixels without data.
        colors (Sequence[Sequence[int]], optional): Color of each value from 0, RGB, for one band of uint8 or uint16.
        classes (Sequence[str], optional): Name of each value from 0, for the tags CLASS_0, CLASS_1, ...
        tags (Mapping[str, Any], optional): More tags.

    Raises:
        SR4IRError: If rasterio is not installed, or the file cannot be written.

    Example:
        >>> write_geotiff('classes.tif', [labels], scene, scale=1, nodata=255, colors=palette, classes=names)
    """
    height, width = (side * scale for side in scene.size)
    is_wide = bands * width > 2**17  # of which a row of large tiles would take much memory
    tile = 512 if min(height, width) > 512 and not is_wide else 256
    profile = dict(driver='GTiff', height=height, width=width, count=bands, dtype=dtype, nodata=nodata)
    profile |= dict(tiled=True, blockxsize=tile, blockysize=tile, compress='deflate', bigtiff='IF_SAFER')
    if bands > 1:
        profile |= dict(photometric='RGB', predictor=2, **(dict(alpha='YES') if bands == 4 else {}))
    # without a file of GDAL's next to it
    with new_file(path) as file, _system_errors(file), environment(GDAL_PAM_ENABLED='NO'):
        with library().open(file, 'w', **profile) as target:
            scene.place.write(target, scale)
            _describe(target, scene, colors, classes, nodata)
            target.update_tags(**{key: str(value) for key, value in (tags or {}).items()})
            _write_rows(target, blocks, tile)
        with library().open(file) as written:  # a disk that is full when the file is closed
            written.read(1, window=library().windows.Window(width - 1, height - 1, 1, 1))


def _describe(
    target: DatasetWriter,
    scene: RasterScene,
    colors: Sequence[Sequence[int]] | None,
    classes: Sequence[str] | None,
    nodata: float | None,
) -> None:
    target.update_tags(
        SR4IR_BANDS=','.join(map(str, scene.bands)),
        SR4IR_STRETCH=format_stretch(scene.stretch),
        **{f'CLASS_{i}': name for i, name in enumerate(classes or ())},
    )
    if colors is not None:
        table = {i: (*map(int, color[:3]), 255) for i, color in enumerate(colors)}
        if nodata is not None:
            table[int(nodata)] = (0, 0, 0, 0)
        target.write_colormap(1, table)


def _write_rows(target: DatasetWriter, blocks: Iterable[np.ndarray], tile: int) -> None:
    top = 0
    for strip in _strips(blocks, np.empty((target.count, tile, target.width), target.dtypes[0])):
        target.write(strip, window=library().windows.Window(0, top, target.width, strip.shape[1]))
        top += strip.shape[1]
    if top != target.height:
        raise ValueError(f'The blocks have {top} rows, but the image has {target.height}.')


def _strips(blocks: Iterable[np.ndarray], strip: np.ndarray) -> Iterator[np.ndarray]:
    """Fill a strip of tiles with rows of the blocks, and yield it when it is full: each tile is compressed once."""
    filled, rows = 0, strip.shape[1]
    for block in blocks:
        waiting = block if block.ndim == 3 else block[None]
        while waiting.shape[1]:
            part, waiting = np.split(waiting, [rows - filled], axis=1)
            np.copyto(strip[:, filled : filled + part.shape[1]], part, casting='safe')
            filled += part.shape[1]
            if filled == rows:
                yield strip
                filled = 0
    if filled:
        yield strip[:, :filled]


@contextmanager
def _system_errors(file: Path) -> Iterator[None]:
    """Turn GDAL's errors into those of the system, with the reason that it does not pass on."""
    try:
        yield
    except gdal_errors() as error:
        is_full = shutil.disk_usage(file.parent).free < 2**20
        raise OSError('No space left on device' if is_full else reason(error)) from error
