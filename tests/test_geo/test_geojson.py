"""GeoJSON of boxes and objects."""

import json

import numpy as np
import pytest

rasterio = pytest.importorskip('rasterio')

from rasterio.transform import Affine  # noqa: E402

from sr4ir_mm.geo import RasterScene, write_geojson  # noqa: E402

BOX = dict(bbox=(10, 20, 30, 40), label=1, score=0.912345)


@pytest.fixture
def written(make_raster, noise, tmp_path):
    """Write objects of a scene with a place, and return the content of the file."""

    def write(found, **place):
        scene = RasterScene(make_raster(noise, **place), stretch=(0, 1))
        write_geojson(tmp_path / 'objects.geojson', found, scene, ['car', 'ship'])
        return json.loads((tmp_path / 'objects.geojson').read_text())

    return write


def area(ring: list) -> float:
    x, y = np.array(ring).T
    return (x[:-1] * y[1:] - x[1:] * y[:-1]).sum() / 2


def test_boxes(written):
    content = written([BOX], crs='EPSG:32633', transform=Affine(10, 0, 5e5, 0, -10, 54e5))
    assert content['crs']['properties']['name'] == 'urn:ogc:def:crs:EPSG::32633'
    (feature,) = content['features']
    assert feature['properties'] == {'class': 'ship', 'label': 1, 'score': 0.9123}
    (ring,) = feature['geometry']['coordinates']
    corners = {(5e5 + 10 * x, 54e5 - 10 * y) for x in (10, 30) for y in (20, 40)}
    assert set(map(tuple, ring)) == corners
    assert ring[0] == ring[-1]
    assert area(ring) == 200 * 200  # counterclockwise


def test_turned_scenes_have_turned_boxes(written):
    (feature,) = written([BOX], crs='EPSG:32633', transform=Affine(8, 6, 5e5, 6, -8, 54e5))['features']
    (ring,) = feature['geometry']['coordinates']
    corners = ((10, 20), (10, 40), (30, 40), (30, 20))
    expected = [(5e5 + 8 * x + 6 * y, 54e5 + 6 * x - 8 * y) for x, y in corners]
    np.testing.assert_allclose(ring[:-1], expected, atol=0.01)


@pytest.mark.parametrize('turn', [1, -1])
def test_objects_of_several_parts(written, turn):
    outlines = [[(10, 20), (30, 20), (30, 40)][::turn], [(50, 50), (60, 60), (50, 60)], [(1, 1)]]
    (feature,) = written([dict(BOX, polygons=outlines)])['features']
    assert feature['geometry']['type'] == 'MultiPolygon'
    first, second = (polygon[0] for polygon in feature['geometry']['coordinates'])
    assert (area(first), area(second)) == (200, 50)
    (feature,) = written([dict(BOX, polygons=[[(1, 1)]])])['features']
    assert area(feature['geometry']['coordinates'][0]) == 400


def test_names_of_reference_systems(written):
    degrees = dict(transform=Affine(1e-5, 0, 5, 0, -1e-5, 50))
    content = written([BOX], crs='EPSG:4326', **degrees)
    assert content['crs']['properties']['name'].endswith('CRS84')  # longitude first
    (ring,) = content['features'][0]['geometry']['coordinates']
    np.testing.assert_allclose(ring[0], [5.0001, 49.9998], atol=1e-9)
    custom = rasterio.CRS.from_proj4('+proj=laea +lat_0=12 +lon_0=34')
    name = written([], crs=custom, **degrees)['crs']['properties']['name']
    assert rasterio.CRS.from_user_input(name) == custom


def test_a_scene_without_a_place_has_pixels(written):
    content = written([BOX, dict(BOX, label=0)])
    assert content['crs'] is None
    first, second = content['features']
    assert {*map(tuple, first['geometry']['coordinates'][0])} == {(10, 20), (10, 40), (30, 20), (30, 40)}
    assert second['properties']['class'] == 'car'
