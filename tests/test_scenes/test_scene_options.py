"""Options of scenes: defaults, and what cannot be meant."""

import cv2
import numpy as np
import pytest
from helpers.zoo import net_config
from mmengine.config import Config
from test_scenes import LOAD, LocalSegmentor, config, detector, inferencer, picture

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.inference.inferencer import SR4IRInferencer
from sr4ir_mm.scenes.options import default_window


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(window=4), 'window=4 must be a whole number, 8 or more'),
        (dict(window=64, overlap=-1), 'overlap=-1 must be a whole number, 0 or more'),
        (dict(window=64, overlap=40), 'A window of 64 px takes an overlap of at most 32 px, not 40: set a smaller'),
        (dict(window=64, overlap=64), 'at most 32 px'),
        (dict(window=12, overlap=6), 'at most 4 px'),
        (dict(window=0, overlap=8), '--overlap is for windows, and --window 0 asks for none'),
        (dict(bands='4,3,x'), "bands='4,3,x'"),
        (dict(stretch='9,3'), "stretch='9,3'"),
        (dict(window=0, save_sr=True), '--save-sr is for windows, and --window 0 asks for none'),
    ],
    ids=str,
)
def test_wrong_options(options, message):
    with pytest.raises(SR4IRError, match=message):
        inferencer(**options)


def test_windows_or_slices():
    with pytest.raises(SR4IRError, match='--window cuts the scene before both networks, --slice before the second'):
        detector(window=64, slice_size=128)
    assert not detector(slice_size=128).scenes.read.has_windows


def test_networks_for_whole_images():
    cfg = config()
    cfg.model.task = net_config('resnet18')
    cfg.merge_from_dict(dict(default_scope='mmpretrain', visualizer=dict(type='UniversalVisualizer')))
    cfg.test_dataloader.dataset = dict(type='ImageNet', pipeline=[LOAD, dict(type='PackInputs')])
    with pytest.raises(SR4IRError, match='ImageClassifier predicts one result for the whole image: cut the scene'):
        SR4IRInferencer(cfg, 'random', 'cpu', window=64)
    run = SR4IRInferencer(cfg, 'random', 'cpu', show_progress=False)
    assert (
        not run.scenes.read.has_windows and len(run(picture(50, 40))['predictions']) == 1
    )  # without the option, as ever


@pytest.mark.parametrize(
    ('train', 'test', 'window'),
    [
        ([dict(type='RandomCrop', crop_size=(512, 256))], [dict(type='Resize', scale=(800, 600))], 64),
        ([], [dict(type='mmdet.Resize', scale=(1333, 800), keep_ratio=True)], 200),
        ([], [dict(type='Resize', scale=(2048, 512))], 128),
        ([dict(type='RandomCrop', crop_size=(0.5, 0.5))], [dict(type='Resize', scale_factor=0.5)], 256),
        ([dict(type='RandomCrop', crop_size=16)], [], 8),
        ([], [], 256),
    ],
)
def test_default_window(train, test, window):
    cfg = Config(
        dict(
            train_dataloader=dict(dataset=dict(dataset=dict(pipeline=train))),
            test_dataloader=dict(dataset=dict(pipeline=test)),
        )
    )
    assert default_window(cfg, 4) == window


def test_large_images_have_windows_by_default(monkeypatch, tmp_path):
    """Above a number of SR pixels; smaller ones, and frames of videos, are predicted as ever."""
    monkeypatch.setattr('sr4ir_mm.scenes.reading.AUTO_PIXELS', 400 * 400)
    monkeypatch.setattr('sr4ir_mm.scenes.options._SIDE', 192)
    small, large = picture(100, 100), picture(100, 101)
    for options, count in ((dict(), 1 + 9), (dict(window=0), 2)):
        run = inferencer(**options)
        run([small, large])
        assert len(run.model.task.sizes) == count
    file = cv2.VideoWriter(str(tmp_path / 'a.avi'), cv2.VideoWriter_fourcc(*'MJPG'), 5, (120, 110))
    file.write(picture(110, 120))
    file.release()
    run = inferencer()
    run(str(tmp_path / 'a.avi'))
    assert len(run.model.task.sizes) == 1


def test_larger_than_max_pixels(monkeypatch):
    """The limit is for SR images that are made as a whole, and for the LR image of windows."""
    image = picture(100, 120)
    with pytest.raises(SR4IRError, match='has 120 x 100 pixels, but at most 10,000 are allowed'):
        inferencer(max_pixels=160_000, window=0)(image)
    assert len(inferencer(max_pixels=160_000, window=64)(image)['predictions']) == 1
    with pytest.raises(SR4IRError, match='has 120 x 100 pixels, but at most 11,000 are allowed'):
        inferencer(max_pixels=11_000, window=64)(image)


def test_a_window_too_small_for_the_network(monkeypatch):
    run = inferencer(window=32)

    def fail(*args, **kwargs):
        raise RuntimeError("Calculated padded input size per channel: (2 x 2). Kernel size can't be greater than")

    monkeypatch.setattr(run.model.task, 'forward', fail)
    with pytest.raises(SR4IRError, match=r'128 x 128 px, which is too small for the task network.*larger windows'):
        run(picture(60, 60))


def test_a_network_of_one_channel():
    """Its threshold decides after the windows are blended."""
    cfg = config(num_classes=1)
    cfg.test_dataloader.dataset.metainfo.classes = ('road', 'other')
    run = SR4IRInferencer(cfg, 'random', 'cpu', show_progress=False, window=96, overlap=48)
    run.model.task.decode_head = type('Head', (), dict(threshold=0.501))()
    image = picture(150, 205)
    (found,) = run(image)['predictions']
    run.scenes.read.has_windows = False
    (whole,) = run(image)['predictions']
    assert 0 < whole.pred_sem_seg.data.float().mean() < 1
    assert np.array_equal(found.pred_sem_seg.data, whole.pred_sem_seg.data.long())


def test_chosen_classes():
    run = inferencer(window=96, overlap=48, classes=['b', 'd'])
    (found,) = run(picture(150, 205))['predictions']
    assert set(found.pred_sem_seg.data.unique().tolist()) <= {1, 3, 255}


def test_predictions_without_scores():
    """Windows by themselves never break what works without them."""
    with pytest.raises(SR4IRError, match='with --tta this task network predicts no scores to blend'):
        inferencer(window=96, tta=True)
    assert not inferencer(tta=True, classes=['b', 'd']).scenes.read.has_windows


def test_networks_for_depth():
    cfg = config()
    cfg.model.task.type = type('DepthEstimator', (LocalSegmentor,), {})
    with pytest.raises(SR4IRError, match='DepthEstimator predicts no scores of classes: predict whole images'):
        SR4IRInferencer(cfg, 'random', 'cpu', window=96)
    assert not SR4IRInferencer(cfg, 'random', 'cpu').scenes.read.has_windows


def test_entry_of_the_config():
    cfg = config()
    cfg.predict = dict(window=96, overlap=48)
    run = SR4IRInferencer(cfg, 'random', 'cpu', show_progress=False)
    run(picture(150, 205))
    assert len(run.model.task.sizes) == 12
    assert SR4IRInferencer(cfg, 'random', 'cpu', show_progress=False, window=128).scenes.options.window == 128


@pytest.mark.parametrize('options', [dict(window=0), dict(slice_size=128)])
def test_options_take_the_place_of_the_entry(options):
    run = detector(predict=dict(window=96, overlap=24), **options)
    assert not run.scenes.read.has_windows
    assert detector(predict=dict(window=96, overlap=24)).scenes.options.overlap == 24


@pytest.mark.parametrize('side', [1, 8, 9, 12, 17])
def test_scenes_of_a_few_pixels(side, tmp_path):
    rasterio = pytest.importorskip('rasterio')
    with rasterio.open(tmp_path / 'a.tif', 'w', 'GTiff', side, side, 3, 'EPSG:32632', dtype='uint8') as file:
        file.write(np.full((3, side, side), 9, np.uint8))
    (sample,) = inferencer()(str(tmp_path / 'a.tif'))['predictions']
    assert sample.pred_sem_seg.data.shape == (1, side, side)


def test_options_without_effect(tmp_path):
    file = cv2.VideoWriter(str(tmp_path / 'a.avi'), cv2.VideoWriter_fourcc(*'MJPG'), 5, (120, 110))
    file.write(picture(110, 120))
    file.release()
    for options in (dict(window=32), dict(save_sr=True), dict(bands='1,2,3'), dict(stretch='0,9')):
        with pytest.raises(SR4IRError, match='is for images, and all of these are videos'):
            inferencer(**options)(str(tmp_path / 'a.avi'))
    cv2.imwrite(str(tmp_path / 'a.png'), picture(20, 30))
    with pytest.raises(SR4IRError, match=r'bands is for rasters \(.tif, .* and none is among the images'):
        inferencer(bands='1,2,3')(str(tmp_path / 'a.png'))
