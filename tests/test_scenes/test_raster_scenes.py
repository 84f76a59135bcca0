"""Rasters in windows: files in the coordinates of the scene, for any GIS."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.rectangles import scene as rectangles
from helpers.zoo import net_config
from test_scenes import CLASSES, config, detector, inferencer, picture, tree

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.inference.inferencer import SR4IRInferencer

rasterio = pytest.importorskip('rasterio')
CRS = 'EPSG:32632'


def write(path, image: np.ndarray, **options) -> str:
    """A GeoTIFF of an image, h x w x 3, BGR, 10 m a pixel."""
    bands = np.moveaxis(image[..., ::-1], -1, 0)
    profile = dict(driver='GTiff', count=3, height=image.shape[0], width=image.shape[1], dtype=bands.dtype, crs=CRS)
    with rasterio.open(path, 'w', transform=rasterio.Affine(10, 0, 5e5, 0, -10, 5.2e6), **profile, **options) as file:
        file.write(bands)
    return str(path)


def break_tile(path: str) -> None:
    with open(path, 'r+b') as file:
        file.seek(Path(path).stat().st_size // 2)
        file.write(b'\xab' * 5000)


@pytest.mark.parametrize('coords', ['lr', 'sr'])
def test_map_of_classes(coords, tmp_path):
    image = picture(150, 205)
    (expected,) = inferencer(window=0)(image, coords=coords)['predictions']
    path = write(tmp_path / 'a.tif', image)
    run = inferencer(window=96, overlap=48, save_sr=True)
    (sample,) = run(path, coords=coords, out_dir=str(tmp_path / 'out'))['predictions']
    assert tree(tmp_path / 'out') == ['preds/a.json', 'preds/a_pred_sem_seg.tif', 'sr/a.tif', 'vis/a.png']
    ratio = 1 if coords == 'lr' else 4
    with rasterio.open(tmp_path / 'out/preds/a_pred_sem_seg.tif') as file:
        assert np.array_equal(file.read(1), expected.pred_sem_seg.data[0].numpy())
        assert file.crs == CRS and file.nodata == 255 and file.tags()['CLASS_4'] == CLASSES[4]
        assert file.transform == rasterio.Affine(10 / ratio, 0, 5e5, 0, -10 / ratio, 5.2e6)
        assert file.colormap(1)[1][:3] == tuple(run.dataset_meta['palette'][1])
    with rasterio.open(tmp_path / 'out/sr/a.tif') as file:
        assert file.shape == (600, 820) and file.transform.a == 2.5
    content = json.loads((tmp_path / 'out/preds/a.json').read_text())
    assert content['pred_sem_seg_file'] == 'a_pred_sem_seg.tif' == sample.pred_sem_seg_file
    (in_memory,) = run(path, coords=coords)['predictions']
    assert np.array_equal(in_memory.pred_sem_seg.data, expected.pred_sem_seg.data)


def test_pixels_without_data_stay_so(tmp_path):
    image = picture(150, 205)
    image[:100, 100:], image[100:, :100] = 0, np.maximum(image[100:, :100], 1)
    run = inferencer(window=48, overlap=8)
    run(write(tmp_path / 'a.tif', image, nodata=0), out_dir=str(tmp_path / 'out'))
    with rasterio.open(tmp_path / 'out/preds/a_pred_sem_seg.tif') as file:
        found = file.read(1)
    assert (found[:100, 100:] == 255).all() and (found == 255).sum() == (image == 0).all(2).sum()
    rows, columns = -(-(150 - 8) // 40), -(-(205 - 8) // 40)
    assert 10 < len(run.model.task.sizes) < rows * columns - 3  # windows without data cost nothing


@pytest.mark.parametrize('masks', [False, True])
def test_objects(masks, tmp_path):
    image, boxes = rectangles(1)
    run = detector(masks, window=80)
    run(write(tmp_path / 'a.tif', image), out_dir=str(tmp_path / 'out'))
    assert tree(tmp_path / 'out') == ['preds/a.geojson', 'preds/a.json', 'vis/a.png']
    content = json.loads((tmp_path / 'out/preds/a.geojson').read_text())
    assert content['crs']['properties']['name'] == 'urn:ogc:def:crs:EPSG::32632'
    found = []
    for feature in content['features']:
        assert feature['properties']['class'] == 'rectangle' and 0.5 < feature['properties']['score'] <= 1
        x, y = np.array(feature['geometry']['coordinates'][0]).T
        found.append([(x.min() - 5e5) / 10, (5.2e6 - y.max()) / 10, (x.max() - 5e5) / 10, (5.2e6 - y.min()) / 10])
    assert np.allclose(sorted(np.round(found).tolist()), boxes, atol=1)


def test_a_broken_tile(tmp_path):
    path = write(tmp_path / 'a.tif', picture(300, 300), tiled=True, blockxsize=128, blockysize=128, compress='deflate')
    break_tile(path)
    result = inferencer(window=64)(path, out_dir=str(tmp_path / 'out'))
    assert result['skipped'] and 'cannot be read' in next(iter(result['skipped'].values()))
    with rasterio.open(tmp_path / 'out/preds/a_pred_sem_seg.tif') as file:
        assert 0 < (file.read(1) == 255).sum() < 3 * 128**2


def test_stretch_of_16_bits(tmp_path):
    image = picture(150, 205)
    path = write(tmp_path / 'a.tif', image.astype(np.uint16) * 10 + 100)
    inferencer(window=96, stretch='100,2650')(path, out_dir=str(tmp_path / 'out'))
    inferencer(window=96)(image, out_dir=str(tmp_path / 'same'))
    with rasterio.open(tmp_path / 'out/preds/a_pred_sem_seg.tif') as file:
        found, tags = file.read(1), file.tags()
    with rasterio.open(tmp_path / 'same/preds/000000_pred_sem_seg.png') as file:
        assert np.array_equal(found, file.read(1))
    assert tags['SR4IR_STRETCH'] and tags['SR4IR_BANDS'] == '1,2,3'


def test_without_the_package(tmp_path, monkeypatch):
    path = write(tmp_path / 'a.tif', picture(40, 40))
    monkeypatch.setitem(__import__('sys').modules, 'rasterio', None)
    from sr4ir_mm.geo.gdal import library

    library.cache_clear()
    with pytest.raises(SR4IRError, match=r"pip install 'sr4ir_mm\[geo\]'"):
        inferencer(window=96, bands='1,2,3')(path)
    library.cache_clear()


def test_a_broken_tile_is_reported_after_a_stop_too(tmp_path, monkeypatch):
    path = write(tmp_path / 'a.tif', picture(300, 300), tiled=True, blockxsize=128, blockysize=128, compress='deflate')
    break_tile(path)
    options = dict(out_dir=str(tmp_path / 'out'), no_save_vis=True)
    run = inferencer(window=64)
    forward, rows = run.model.task.forward, -(-(300 - 16) // 48)

    def stop(*args, **kwargs):
        if len(run.model.task.sizes) > rows * (rows - 1):
            raise KeyboardInterrupt
        return forward(*args, **kwargs)

    monkeypatch.setattr(run.model.task, 'forward', stop)
    with pytest.raises(KeyboardInterrupt):
        run(path, **options)
    result = inferencer(window=64)(path, **options)
    assert 'cannot be read' in next(iter(result['skipped'].values()))


def test_an_object_without_pixels(tmp_path, monkeypatch):
    image, boxes = rectangles(1)
    run = detector(True, window=80)
    find = run.model.task.find

    def without_pixels(*args):
        found = find(*args)
        found.masks[: len(found) // 2] = False
        return found

    monkeypatch.setattr(run.model.task, 'find', without_pixels)
    run(write(tmp_path / 'a.tif', image), out_dir=str(tmp_path / 'out'))
    assert len(json.loads((tmp_path / 'out/preds/a.geojson').read_text())['features']) >= len(boxes)


def test_a_network_for_whole_images_reads_as_in_training(tmp_path):
    """LoadRaster is the loading step of the test, whatever the network."""
    cfg = config()
    cfg.model.task = net_config('resnet18')
    cfg.merge_from_dict(dict(default_scope='mmpretrain', visualizer=dict(type='UniversalVisualizer')))
    load = dict(type='sr4ir_mm.LoadRaster', bands=(3, 2, 1), stretch=(0, 100))
    cfg.test_dataloader.dataset = dict(type='ImageNet', pipeline=[load, dict(type='PackInputs')])
    image = picture(50, 60)
    path = write(tmp_path / 'a.tif', image)
    run = SR4IRInferencer(cfg, 'random', 'cpu', show_progress=False)
    read = run.scenes.read(path)
    assert np.array_equal(read, (np.minimum(image[..., ::-1] / 100, 1) * 255).round())
    with pytest.raises(SR4IRError, match=r'is no file, but the test pipeline reads rasters \(LoadRaster\)'):
        run(image)


def test_a_scheme_without_a_task_network(tmp_path):
    cfg = config('S')
    cfg.model.task = None
    cfg.model.data_preprocessor = dict(
        type='mmengine.ImgDataPreprocessor', mean=[0] * 3, std=[255] * 3, bgr_to_rgb=True
    )
    run = SR4IRInferencer(cfg, 'random', 'cpu', show_progress=False, window=48)
    run(write(tmp_path / 'a.tif', picture(100, 90)), out_dir=str(tmp_path / 'out'))
    assert tree(tmp_path / 'out') == ['sr/a.tif', 'vis/a.png']
    with rasterio.open(tmp_path / 'out/sr/a.tif') as file:
        sr = file.read()
    assert np.array_equal(cv2.imread(str(tmp_path / 'out/vis/a.png'))[..., ::-1], np.moveaxis(sr, 0, -1))


def test_scenes_go_one_by_one(tmp_path):
    """What is done is done: the first result is there before the second scene is predicted."""
    image = picture(60, 70)
    paths = [write(tmp_path / f'{name}.tif', image) for name in 'abc']
    run = inferencer(window=48, overlap=8)
    stream = run.stream([*paths, image], batch_size=4, out_dir=str(tmp_path / 'out'))
    next(stream)
    count = len(run.model.task.sizes)
    next(stream)
    assert len(run.model.task.sizes) == 2 * count
    assert len(list(stream)) == 2


def test_one_scene_that_fails_ends_nothing(tmp_path):
    good = write(tmp_path / 'a.tif', picture(60, 70))
    bad = write(tmp_path / 'b.tif', picture(61, 70))
    run = inferencer(window=0, max_pixels=60 * 70 * 16)
    skipped: dict[str, str] = {}
    assert len(list(run.stream([bad, good], keep_going=True, skipped=skipped))) == 1
    assert list(skipped) == [bad] and 'at most' in skipped[bad]
    full = tmp_path / 'full'
    full.write_text('')
    with pytest.raises(SR4IRError, match='cannot be written'):
        list(inferencer(window=48).stream([good], keep_going=True, out_dir=str(full / 'out')))
