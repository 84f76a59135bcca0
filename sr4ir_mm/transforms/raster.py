"""Loading rasters in a pipeline, with the bands and the stretch that scenes are read with."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import SR4IRError
from ..geo.bands import Bands, parse_bands
from ..geo.raster import RasterScene
from ..geo.stretch import Stretch, parse_stretch
from ..registry import TRANSFORMS
from ..utils.nested import all_dicts
from .loading import CheckedLoadImageFromFile

#: largest number of pixels of an image that is loaded as a whole, as in OpenCV
_MAX_PIXELS = 2**30


@TRANSFORMS.register_module()
class LoadRaster(CheckedLoadImageFromFile):
    """Load a raster file by rasterio, in place of ``LoadImageFromFile``; needs the extra ``geo``.

    Training and scenes should share a stretch of fixed values. Percentiles are measured in each file: a tile of water
    and a tile of a city are then stretched differently, and so is the scene that both are from.

    Args:
        bands (str, int or Sequence[int], optional): Bands, see :class:`~sr4ir_mm.geo.RasterScene`.
        stretch (str or Sequence, optional): Values that become 0 and 255, see there.
        to_float32 (bool): Whether the image is of float32, [0, 255].

    Raises:
        SR4IRError: If rasterio is not installed, the file cannot be read as a whole, or the options do not fit it.

    Example:
        >>> load = dict(type='sr4ir_mm.LoadRaster', bands=(4, 3, 2), stretch=(0, 3000))
        >>> train_pipeline = [load, dict(type='LoadAnnotations'), dict(type='PackSegInputs')]
    """

    def __init__(self, bands: Bands = None, stretch: Stretch = None, to_float32: bool = False) -> None:
        super().__init__(to_float32=to_float32)
        parse_bands(bands), parse_stretch(stretch)  # mistakes are found before the first image
        self.bands = bands
        self.stretch = stretch

    def transform(self, results: dict) -> dict:
        """Add ``img`` (H x W x 3, uint8, BGR) to the results, from their ``img_path``."""
        path = str(results['img_path'])
        with RasterScene(path, self.bands, self.stretch, quiet=True) as scene:
            height, width = scene.size
            if height * width > _MAX_PIXELS:
                raise SR4IRError(f"'{path}' has {width} x {height} px, too many to be loaded at once: cut it to tiles.")
            image, _ = scene.read((0, 0, width, height))
            if scene.broken:
                window, reason = scene.broken[0]
                raise SR4IRError(f"'{path}' is broken at {window} ({reason}): replace or remove it.")
        results['img'] = image.astype(np.float32) if self.to_float32 else image
        results['img_shape'] = results['ori_shape'] = image.shape[:2]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(bands={self.bands}, stretch={self.stretch}, to_float32={self.to_float32})'


def raster_options(pipeline: Sequence[dict]) -> dict[str, Any]:
    """Return the bands and the stretch of the :class:`LoadRaster` in a pipeline, or nothing if there is none.

    Args:
        pipeline (Sequence[dict]): Steps of a pipeline as a config has them.

    Example:
        >>> raster_options([dict(type='sr4ir_mm.LoadRaster', stretch=(0, 3000))])
        {'bands': None, 'stretch': (0, 3000)}
    """
    for step in all_dicts(pipeline):
        kind = step.get('type')
        if kind is LoadRaster or str(kind).rpartition('.')[2] == LoadRaster.__name__:
            return {name: step.get(name) for name in ('bands', 'stretch')}
    return {}
