"""GeoTIFFs of results, as rasterio reads them."""

import os
import resource
import signal

import numpy as np
import pytest

rasterio = pytest.importorskip('rasterio')

from rasterio.control import GroundControlPoint  # noqa: E402
from rasterio.transform import Affine, GCPTransformer  # noqa: E402

from sr4ir_mm.errors import SR4IRError  # noqa: E402
from sr4ir_mm.geo import RasterScene, write_geotiff  # noqa: E402

PLACE = dict(crs='EPSG:32633', transform=Affine(10, 2, 5e5, 2, -10, 54e5))


def pieces(array: np.ndarray, rows: int = 70):
    return (array[..., i : i + rows, :] for i in range(0, array.shape[-2], rows))


@pytest.mark.parametrize(('scale', 'tile'), [(1, 256), (4, 512)])
def test_maps_of_classes(make_raster, noise, tmp_path, scale, tile):
    scene = RasterScene(make_raster(noise, **PLACE), bands=(3, 2, 1), stretch=(0, 3000))
    labels = (np.arange(150 * 200 * scale**2).reshape(150 * scale, 200 * scale) // 999 % 3).astype(np.uint8)
    labels[:50] = 255
    options = dict(nodata=255, colors=[(0, 0, 0), (0, 255, 0), (9, 8, 7)], classes=['sea', 'wood', 'rue des Prés'])
    write_geotiff(tmp_path / 'classes.tif', pieces(labels), scene, scale, tags=dict(weights='a.pth'), **options)
    with rasterio.open(tmp_path / 'classes.tif') as file:
        np.testing.assert_array_equal(file.read(1), labels)
        assert file.crs == scene.place.crs
        assert file.transform == Affine(10 / scale, 2 / scale, 5e5, 2 / scale, -10 / scale, 54e5)
        assert file.nodata == 255
        assert (file.block_shapes[0], file.compression.name) == ((tile, tile), 'deflate')
        assert [file.colormap(1)[i] for i in (1, 2, 255)] == [(0, 255, 0, 255), (9, 8, 7, 255), (0, 0, 0, 0)]
        tags = file.tags()
    assert (tags['CLASS_1'], tags['CLASS_2'], tags['weights']) == ('wood', 'rue des Prés', 'a.pth')
    assert (tags['SR4IR_BANDS'], tags['SR4IR_STRETCH']) == ('3,2,1', '0,3000')
    assert sorted(path.name for path in tmp_path.iterdir()) == ['classes.tif', 'scene.tif']


def test_the_stretch_in_the_tags_is_an_option(make_raster, noise, tmp_path):
    scene = RasterScene(make_raster(noise))
    write_geotiff(tmp_path / 'out.tif', [np.zeros((150, 200), np.uint8)], scene, 1)
    with rasterio.open(tmp_path / 'out.tif') as file:
        stretch = file.tags()['SR4IR_STRETCH']
    again = RasterScene(scene.path, stretch=stretch)
    np.testing.assert_array_equal(again.read((0, 0, 200, 150))[0], scene.read((0, 0, 200, 150))[0])


def test_images_with_alpha(make_raster, noise, tmp_path):
    scene = RasterScene(make_raster(noise, **PLACE))
    image = np.random.default_rng(0).integers(0, 256, (4, 300, 400), dtype=np.uint8)
    image[3] = 255
    image[:, :100] = 0
    write_geotiff(tmp_path / 'sr.tif', pieces(image), scene, 2, bands=4)
    with rasterio.open(tmp_path / 'sr.tif') as file:
        np.testing.assert_array_equal(file.read(), image)
        assert [color.name for color in file.colorinterp] == ['red', 'green', 'blue', 'alpha']
        assert (file.dataset_mask()[99:101, 0] == [0, 255]).all()
    with RasterScene(tmp_path / 'sr.tif') as again:
        np.testing.assert_array_equal(again.read((0, 0, 400, 300))[1], image[3] > 0)


def test_ground_control_points_are_scaled(make_raster, noise, tmp_path):
    corners = [(0, 0), (0, 200), (150, 0), (150, 200)]
    points = [GroundControlPoint(row, col, 5 + col / 1000, 50 - row / 1000) for row, col in corners]
    scene = RasterScene(make_raster(noise, gcps=(points, rasterio.CRS.from_epsg(4326))), stretch=(0, 1))
    np.testing.assert_allclose(scene.place.coordinates([[100, 75]]), [[5.1, 49.925]], atol=1e-6)
    write_geotiff(tmp_path / 'out.tif', [np.zeros((600, 800), np.uint8)], scene, 4)
    with rasterio.open(tmp_path / 'out.tif') as file:
        found, crs = file.gcps
    assert crs.to_epsg() == 4326
    with GCPTransformer(found) as transformer:
        np.testing.assert_allclose(transformer.xy([300], [400], offset='ul'), [[5.1], [49.925]], atol=1e-6)


def test_a_scene_without_a_place(make_raster, noise, tmp_path):
    scene = RasterScene(make_raster(noise), stretch=(0, 1))
    write_geotiff(tmp_path / 'out.tif', [np.zeros((300, 400), np.uint8)], scene, 2)
    with rasterio.open(tmp_path / 'out.tif') as file:
        assert file.crs is None
        assert file.transform.is_identity


def test_what_fails_leaves_the_file_as_it_was(make_raster, noise, tmp_path):
    scene = RasterScene(make_raster(noise, **PLACE), stretch=(0, 1))
    (tmp_path / 'out.tif').write_text('old')

    def interrupted():
        yield np.zeros((70, 200), np.uint8)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_geotiff(tmp_path / 'out.tif', interrupted(), scene, 1)
    with pytest.raises(ValueError, match='140 rows'):
        write_geotiff(tmp_path / 'out.tif', [np.zeros((70, 200), np.uint8)] * 2, scene, 1)
    assert (tmp_path / 'out.tif').read_text() == 'old'
    assert sorted(path.name for path in tmp_path.iterdir()) == ['out.tif', 'scene.tif']


def test_full_disks(make_raster, noise, tmp_path):
    """Wherever the space ends: at the header, in a tile, or in the directory that is written last."""
    scene = RasterScene(make_raster(noise, **PLACE), stretch=(0, 1))
    image = np.random.default_rng(0).integers(0, 256, (600, 800), dtype=np.uint8)
    write_geotiff(tmp_path / 'out.tif', pieces(image), scene, 4)
    size = os.path.getsize(tmp_path / 'out.tif')
    handler, limits = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        for room in (4, 300, size // 2, size - 200, size - 1):
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
            with pytest.raises(SR4IRError, match=r"out.tif' cannot be written: .+\. Make room"):
                write_geotiff(tmp_path / 'out.tif', pieces(image), scene, 4)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    with rasterio.open(tmp_path / 'out.tif') as file:
        np.testing.assert_array_equal(file.read(1), image)
