"""The transform that loads rasters in a pipeline."""

import numpy as np
import pytest

rasterio = pytest.importorskip('rasterio')

from mmcv.transforms import LoadImageFromFile  # noqa: E402
from mmengine.config import Config  # noqa: E402
from mmengine.dataset import Compose  # noqa: E402

from sr4ir_mm.errors import SR4IRError  # noqa: E402
from sr4ir_mm.geo import RasterScene  # noqa: E402
from sr4ir_mm.inference.lr_input import use_lr_input  # noqa: E402
from sr4ir_mm.inference.task_pipeline import TaskPipeline  # noqa: E402
from sr4ir_mm.registry import TRANSFORMS  # noqa: E402
from sr4ir_mm.transforms import LoadRaster, raster_options  # noqa: E402
from sr4ir_mm.transforms.checked_steps import add_checks  # noqa: E402


@pytest.mark.parametrize('to_float32', [False, True])
def test_results_are_those_of_mmcv(make_raster, noise, to_float32):
    path = make_raster((noise % 256).astype(np.uint8), photometric='RGB')
    load = TRANSFORMS.build(dict(type='sr4ir_mm.LoadRaster', to_float32=to_float32))
    found, expected = load({'img_path': path}), LoadImageFromFile(to_float32)({'img_path': path})
    np.testing.assert_array_equal(found.pop('img'), expected['img'])
    assert found.items() == {key: value for key, value in expected.items() if key != 'img'}.items()
    assert load({'img_path': path})['img'].dtype == expected['img'].dtype


def test_a_training_reads_what_a_scene_reads(make_raster, noise):
    path = make_raster(noise, nodata=7)
    options = dict(bands='3,1,2', stretch='0,3000')
    image = LoadRaster(**options)({'img_path': path})['img']
    np.testing.assert_array_equal(image, RasterScene(path, **options).read((0, 0, 200, 150))[0])


def test_checks_of_data_sets_read_16_bits(make_raster, noise):
    """They refuse those of other loaders, whose range is unknown."""
    pipeline = Compose([dict(type='sr4ir_mm.LoadRaster', stretch=(0, 4000))])
    add_checks(pipeline.transforms)
    assert pipeline({'img_path': make_raster(noise)})['img'].max() == 255


def test_mistakes(make_raster, noise):
    with pytest.raises(SR4IRError, match='LOW below HIGH'):
        LoadRaster(stretch=(3000, 0))
    with pytest.raises(SR4IRError, match='three numbers'):
        LoadRaster(bands=(1, 2))
    with pytest.raises(SR4IRError, match=r"scene.tif' has 3 band"):
        LoadRaster(bands=(4, 3, 2))({'img_path': make_raster(noise)})
    path = make_raster(noise)
    with open(path, 'r+b') as file:
        file.seek(5000)
        file.write(b'\xab' * 5000)
    with pytest.raises(SR4IRError, match=r"scene.tif' is broken at"):
        LoadRaster(stretch=(0, 1))({'img_path': path})
    huge = path.replace('.tif', '.vrt')
    with open(huge, 'w') as file:
        file.write('<VRTDataset rasterXSize="40000" rasterYSize="40000"><VRTRasterBand dataType="Byte"/></VRTDataset>')
    with pytest.raises(SR4IRError, match='40000 x 40000 px, too many'):
        LoadRaster()({'img_path': huge})


def test_options_of_a_pipeline():
    load = dict(type='sr4ir_mm.LoadRaster', bands=(4, 3, 2), stretch=(0, 3000))
    assert raster_options([load, dict(type='Resize')]) == dict(bands=(4, 3, 2), stretch=(0, 3000))
    assert raster_options([dict(type=LoadRaster, stretch=(0, 1))]) == dict(bands=None, stretch=(0, 1))
    assert raster_options([dict(type='LoadImageFromFile'), dict(type='PackSegInputs')]) == {}


def test_lr_images_are_loaded_once():
    """It is a loader of images, not of annotations: SR images take the place of what it loads."""
    load, resize, pack = (
        dict(type='sr4ir_mm.LoadRaster'),
        dict(type='Resize', scale=(9, 9)),
        dict(type='ToTensor', keys=[]),
    )
    cfg = Config(dict(test_dataloader=dict(dataset=dict(pipeline=[load, resize, pack])), test_evaluator=dict(type='A')))
    use_lr_input(cfg)
    assert cfg.test_dataloader.dataset.pipeline == [load]
    steps = TaskPipeline(None, [load, resize, pack], annotations=True).steps.transforms
    assert [type(step).__name__ for step in steps] == ['Resize', 'ToTensor']
