"""Scenes of rasters: bands, 8 bits, pixels without data, broken files."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

rasterio = pytest.importorskip('rasterio')

from rasterio.shutil import copy  # noqa: E402

from sr4ir_mm.errors import SR4IRError  # noqa: E402
from sr4ir_mm.geo import RasterScene, is_raster  # noqa: E402

WHOLE = (0, 0, 200, 150)


def test_windows_have_the_values_of_the_file_in_bgr(make_raster, noise):
    scene = RasterScene(make_raster(noise), bands=(3, 1, 2), stretch=(0, 2000))
    image, has_data = scene.read((30, 20, 130, 100))
    expected = np.clip(np.round(noise[[1, 0, 2], 20:100, 30:130] / 2000 * 255), 0, 255)
    assert scene.size == (150, 200)
    assert has_data.all()
    assert image.dtype == np.uint8
    assert image.flags['C_CONTIGUOUS']
    np.testing.assert_allclose(image.transpose(2, 0, 1), expected, atol=1)


def test_8_bits_stay_as_they_are(make_raster, noise):
    values = (noise % 256).astype(np.uint8)
    image, _ = RasterScene(make_raster(values)).read(WHOLE)
    np.testing.assert_array_equal(image, values[::-1].transpose(1, 2, 0))


def test_the_stretch_is_one_for_the_whole_scene(make_raster, noise):
    noise[:, :, 100:] //= 8  # a dark half, which would be as bright as the other one with a stretch of its own
    scene = RasterScene(make_raster(noise))
    whole, _ = scene.read(WHOLE)
    window, _ = scene.read((100, 0, 200, 150))
    np.testing.assert_array_equal(window, whole[:, 100:])
    np.testing.assert_allclose(scene.stretch, [np.percentile(band, (2, 98)) for band in noise])


def test_percentiles_leave_out_pixels_without_data(make_raster, noise):
    noise[:, :100] = 0
    scene = RasterScene(make_raster(noise, nodata=0), stretch='2%,98%')
    np.testing.assert_allclose(scene.stretch, [np.percentile(band[100:], (2, 98)) for band in noise])


def test_default_bands(make_raster, noise):
    four = np.concatenate([noise, noise[:1]])
    planet = ['blue', 'green', 'red', 'undefined']
    with rasterio.open(path := make_raster(four, 'planet.tif'), 'r+') as file:
        file.colorinterp = [rasterio.enums.ColorInterp[name] for name in planet]
    assert RasterScene(path).bands == [3, 2, 1]
    assert RasterScene(make_raster(four)).bands == [1, 2, 3]
    gray = RasterScene(make_raster(noise[:1]))
    assert gray.bands == [1]
    image, _ = gray.read(WHOLE)
    assert image.shape == (150, 200, 3)
    assert (image[..., :1] == image).all()


def test_pixels_without_data(make_raster, noise):
    expected = np.ones((150, 200), bool)
    expected[:70, :90] = False
    by_value = np.where(expected, noise, 65535).astype(np.uint16)
    by_value[0, 149, 199] = 65535  # the other bands have a value there
    alpha = np.concatenate([noise % 256, expected[None] * 255]).astype(np.uint8)
    cases = [
        make_raster(by_value, 'value.tif', nodata=65535),
        make_raster(noise, 'mask.tif', mask=expected),
        make_raster(alpha, 'alpha.tif', photometric='RGB', alpha='YES'),
    ]
    for path in cases:
        image, has_data = RasterScene(path).read(WHOLE)
        np.testing.assert_array_equal(has_data, expected, path)
        assert not image[~has_data].any()
        assert image[has_data].any()


@pytest.mark.parametrize('nodata', [None, np.nan, -9999, np.finfo(np.float32).min])
def test_what_is_not_finite_is_no_data(make_raster, noise, nodata):
    values = noise.astype(np.float32)
    values[1, 10, 10], values[:, 20, 20], values[0, 30, 30] = np.nan, nodata or np.nan, np.inf
    scene = RasterScene(make_raster(values, nodata=nodata))
    image, has_data = scene.read(WHOLE)
    assert not has_data[[10, 20, 30], [10, 20, 30]].any()
    assert has_data.sum() == 150 * 200 - 3
    assert not image[~has_data].any()
    assert np.isfinite(scene.stretch).all()


def test_threads_take_turns(make_raster, noise):
    scene = RasterScene(make_raster(noise), stretch=(0, 4000))
    windows = [(left, top, left + 50, top + 50) for left in range(150) for top in (0, 50, 100)]
    expected, _ = scene.read(WHOLE)
    with ThreadPoolExecutor(4) as pool:
        for (left, top, right, bottom), (image, _) in zip(windows, pool.map(scene.read, windows)):
            np.testing.assert_array_equal(image, expected[top:bottom, left:right])


def test_overviews_are_of_the_whole_scene(make_raster):
    values = np.zeros((3, 150, 200), np.uint8)
    values[0, :, 100:] = 200
    image = RasterScene(make_raster(values)).overview(20)
    assert image.shape == (15, 20, 3)
    assert (image[:, :10] == 0).all()
    assert (image[:, 10:] == (0, 0, 200)).all()


def damage(path: str, column: int) -> None:
    """Overwrite the tile at a column of the first row of tiles."""
    with rasterio.open(path) as file:
        offset = int(file.get_tag_item(f'BLOCK_OFFSET_{column}_0', 'TIFF', bidx=1))
        size = int(file.get_tag_item(f'BLOCK_SIZE_{column}_0', 'TIFF', bidx=1))
    with open(path, 'r+b') as file:
        file.seek(offset)
        file.write(b'\xab' * size)


def test_a_broken_tile_has_no_data_and_is_noted(make_raster, noise):
    path = make_raster(noise)
    intact = RasterScene(path, stretch=(0, 4000))
    expected, _ = intact.read(WHOLE)
    damage(path, 1)
    scene = RasterScene(path, stretch=(0, 4000))
    image, has_data = scene.read(WHOLE)
    assert not has_data[:64, 64:128].any()
    assert has_data.sum() == 150 * 200 - 64 * 64
    np.testing.assert_array_equal(image[has_data], expected[has_data])
    scene.read((70, 10, 110, 90))
    scene.overview(50)
    ((window, reason),) = scene.broken
    assert window == (64, 0, 128, 64)
    assert reason
    assert RasterScene(path).stretch is not None  # of the pixels that can be read


def test_truncated_files(make_raster, noise):
    path = make_raster(noise)
    size = os.path.getsize(path)
    os.truncate(path, size // 2)
    scene = RasterScene(path, stretch=(0, 4000))
    _, has_data = scene.read(WHOLE)
    assert 0.1 < has_data.mean() < 0.9
    assert scene.broken
    os.truncate(path, 100)
    with pytest.raises(SR4IRError, match=r"scene.tif' is no raster that can be read"):
        RasterScene(path)


@pytest.mark.parametrize(
    ('bands', 'stretch', 'message'),
    [
        ('5,1,1', None, 'has 3 band'),
        ((0, 1, 2), None, 'the first band is 1'),
        ('1,2', None, 'three numbers'),
        ('red', None, 'three numbers'),
        (None, (10, 10), 'LOW below HIGH'),
        (None, '98%,2%', 'LOW below HIGH'),
        (None, '2%,98', 'LOW below HIGH'),
        (None, '-1%,98%', 'LOW below HIGH'),
        (None, 'nan,1', 'LOW below HIGH'),
        (None, '5', 'LOW below HIGH'),
        (None, '0,1;0,2', '2 ranges'),
    ],
)
def test_options_that_do_not_fit(make_raster, noise, bands, stretch, message):
    with pytest.raises(SR4IRError, match=message):
        RasterScene(make_raster(noise), bands, stretch)


def test_values_that_make_no_image(make_raster, noise):
    with pytest.raises(SR4IRError, match='complex'):
        RasterScene(make_raster(noise.astype(np.complex64)))
    with pytest.raises(SR4IRError, match='two bands'):
        RasterScene(make_raster(noise[:2]))
    with rasterio.open(path := make_raster((noise[:1] % 4).astype(np.uint8), 'palette.tif'), 'r+') as file:
        file.write_colormap(1, {1: (255, 0, 0, 255)})
    with pytest.raises(SR4IRError, match='colors by number'):
        RasterScene(path)
    noise[:, 2:] = 0
    with pytest.raises(SR4IRError, match='the value 0 in most of its pixels'):
        RasterScene(make_raster(noise, 'fill.tif'))
    assert RasterScene(make_raster(noise[:, 2:], 'constant.tif')).read((0, 0, 9, 9))[1].all()


def test_bits_of_a_mask_become_black_and_white(make_raster, noise):
    values = (noise[:1] % 2).astype(np.uint8)
    image, _ = RasterScene(make_raster(values, nbits=1)).read(WHOLE)
    np.testing.assert_array_equal(image[..., 0], values[0] * 255)


def test_the_identity_follows_content_and_options(make_raster, noise):
    path = make_raster(noise)
    first = RasterScene(path, stretch=(0, 4000)).identity
    assert first == RasterScene(path, stretch='0,4000').identity
    assert first != RasterScene(path, stretch=(0, 3000)).identity
    assert first != RasterScene(path, bands=(3, 2, 1), stretch=(0, 4000)).identity
    copy(path, vrt := path.replace('.tif', '.vrt'), driver='VRT')
    of_vrt = RasterScene(vrt, stretch=(0, 4000)).identity
    os.utime(path, (time.time() + 5,) * 2)
    assert first != RasterScene(path, stretch=(0, 4000)).identity
    assert of_vrt != RasterScene(vrt, stretch=(0, 4000)).identity  # of which only a source has changed


def test_is_raster(make_raster, noise, tmp_path):
    assert is_raster(make_raster(noise, 'place.tif', crs='EPSG:32633'))
    path = make_raster(noise, 'scan.tif')
    assert not is_raster(path)
    copy(path, tmp_path / 'scan.vrt', driver='VRT')
    assert is_raster(tmp_path / 'scan.vrt')
    (tmp_path / 'text.tif').write_text('no image')
    for name in ('text.tif', 'missing.tif', 'missing.vrt', 'photo.jpg'):
        assert not is_raster(tmp_path / name)


def test_what_is_logged(make_raster, noise, monkeypatch):
    lines = []
    monkeypatch.setattr('sr4ir_mm.geo.raster.print_log', lambda text, *args: lines.append(text))
    path = make_raster(np.tile(noise[:, :10], (1, 1, 200)), tiled=False)
    RasterScene(path)
    stretched, stored = lines
    assert 'is stretched: ' in stretched
    assert 'is stored in long rows' in stored
    RasterScene(path, quiet=True)
    RasterScene(make_raster(noise), stretch=(0, 1))
    assert len(lines) == 2
