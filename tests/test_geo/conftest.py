import warnings

import numpy as np
import pytest

rasterio = pytest.importorskip('rasterio')


@pytest.fixture(autouse=True)
def _rasters_without_a_place():
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', rasterio.errors.NotGeoreferencedWarning)
        yield


@pytest.fixture
def make_raster(tmp_path):
    """Write an array, bands x h x w, to a GeoTIFF of tiles, and return its path."""

    def write(array: np.ndarray, name: str = 'scene.tif', **options) -> str:
        count, height, width = array.shape
        usual = dict(driver='GTiff', tiled=True, blockxsize=64, blockysize=64, compress='deflate')
        size = dict(count=count, height=height, width=width, dtype=array.dtype)
        masks, gcps = options.pop('mask', None), options.pop('gcps', None)
        with (
            rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
            rasterio.open(tmp_path / name, 'w', **(usual | size | options)) as file,
        ):
            file.write(array)
            if masks is not None:
                file.write_mask(masks)
            if gcps is not None:
                file.gcps = gcps
        return str(tmp_path / name)

    return write


@pytest.fixture
def noise():
    """Return an image, 3 x 150 x 200, of 16 bits."""
    return np.random.default_rng(0).integers(1, 4000, (3, 150, 200)).astype(np.uint16)
