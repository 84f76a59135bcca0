"""Scenes in windows: equal to the whole image where networks are local, each object once, also after a stop."""

import json

import cv2
import numpy as np
import pytest
import torch
from helpers.rectangles import FindRectangles
from helpers.rectangles import scene as rectangles
from helpers.toy import EDSR
from mmengine.config import Config
from mmengine.model import BaseModel
from pycocotools.mask import decode
from torch import nn

from sr4ir_mm.inference.inferencer import SR4IRInferencer
from sr4ir_mm.registry import MODELS


@MODELS.register_module()
class LocalSegmentor(BaseModel):
    """A network of stride 4 whose scores depend on the 20 SR px around a pixel."""

    align_corners = False

    def __init__(self, num_classes: int = 5) -> None:
        super().__init__(dict(type='mmseg.SegDataPreProcessor', mean=[0] * 3, std=[255] * 3, bgr_to_rgb=True))
        self.out_channels = num_classes
        self.net = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, num_classes, 3, 1, 1)
        )
        for layer in (self.net[0], self.net[4]):  # else one class wins everywhere
            layer.weight.data -= layer.weight.data.mean((1, 2, 3), keepdim=True)
            layer.bias.data.zero_()
        self.sizes = []

    def extract_feat(self, inputs):
        return (self.net[:4](inputs),)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        from mmseg.models import BaseSegmentor

        self.sizes.append(tuple(inputs.shape))
        return BaseSegmentor.postprocess_result(self, self.net(inputs), data_samples)


MODELS.register_module(module=FindRectangles)
LOAD, PACK_DET = dict(type='LoadImageFromFile'), dict(type='PackDetInputs')
CLASSES = tuple('abcde')


def config(scheme: str = 'SR4IR', **task) -> Config:
    torch.manual_seed(0)
    return Config(
        dict(
            default_scope='mmseg',
            model=dict(
                type='sr4ir_mm.SR4IR',
                sr=dict(EDSR, _scope_='mmagic'),
                task=dict(type='LocalSegmentor', _scope_='sr4ir_mm', **task),
                scale=4,
                scheme=scheme,
            ),
            test_dataloader=dict(
                dataset=dict(
                    type='BaseSegDataset', metainfo=dict(classes=CLASSES), pipeline=[LOAD, dict(type='PackSegInputs')]
                )
            ),
            visualizer=dict(type='SegLocalVisualizer'),
        )
    )


def inferencer(**options) -> SR4IRInferencer:
    torch.manual_seed(0)
    return SR4IRInferencer(config(), 'random', 'cpu', show_progress=False, **options)


def picture(height: int, width: int) -> np.ndarray:
    small = np.random.default_rng(0).integers(0, 256, (height // 6 + 1, width // 6 + 1, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize('coords', ['lr', 'sr'])
@pytest.mark.parametrize('batch_size', [1, 3])
def test_equals_the_whole_image(coords, batch_size):
    """Receptive field of both networks: less than the quarter of the overlap."""
    image = picture(150, 205)
    (whole,) = inferencer(window=0)(image, coords=coords)['predictions']
    run = inferencer(window=96, overlap=48)
    (found,) = run(image, batch_size, coords=coords)['predictions']
    assert len(set(whole.pred_sem_seg.data.unique().tolist())) > 2
    assert torch.equal(found.pred_sem_seg.data, whole.pred_sem_seg.data)
    assert len(run.model.task.sizes) > 1 and max(size[-1] for size in run.model.task.sizes) <= 96 * 4


def detector(
    masks: bool = False, pipeline: list | None = None, predict: dict | None = None, **options
) -> SR4IRInferencer:
    cfg = Config(
        dict(
            default_scope='mmdet',
            model=dict(
                type='sr4ir_mm.SR4IR',
                sr=None,
                task=dict(type='FindRectangles', masks=masks, _scope_='sr4ir_mm'),
                scale=4,
                scheme='L->T',
                align_corners=False,
            ),
            test_dataloader=dict(
                dataset=dict(
                    type='CocoDataset', metainfo=dict(classes=('rectangle',)), pipeline=pipeline or [LOAD, PACK_DET]
                )
            ),
            visualizer=dict(type='DetLocalVisualizer'),
            predict=predict or {},
        )
    )
    return SR4IRInferencer(cfg, 'random', 'cpu', show_progress=False, **options)


@pytest.mark.parametrize('coords', ['lr', 'sr'])
@pytest.mark.parametrize('seed', range(3))
def test_each_object_once_and_whole(coords, seed):
    """Objects of all sizes, also some that are larger than what windows have in common."""
    image, boxes = rectangles(seed)
    (sample,) = detector(window=80, overlap=24)(image, coords=coords)['predictions']
    found = sample.pred_instances.bboxes / (1 if coords == 'lr' else 4)
    assert np.allclose(sorted(found.round().tolist()), boxes, atol=1)
    assert sample.metainfo['ori_shape'] == tuple(side * (1 if coords == 'lr' else 4) for side in (200, 300))


def test_masks_are_those_of_the_scene():
    image, boxes = rectangles(1)
    (sample,) = detector(True, window=80, overlap=24)(image)['predictions']
    masks = [decode(dict(code, counts=code['counts'].encode())) for code in sample.pred_instances.masks]
    assert len(masks) == len(boxes) and masks[0].shape == (200, 300)
    truth = image[..., 0] > 127
    assert (np.any(masks, 0) != truth).mean() < 0.01 and (np.sum(masks, 0) > 1).sum() == 0


@pytest.mark.parametrize('masks', [False, True])
def test_files(masks, tmp_path):
    """The same files as of an image, but for the SR image, which is written on request."""
    image, boxes = rectangles(0)
    cv2.imwrite(str(tmp_path / 'a.png'), image)
    result = detector(masks, window=80, save_sr=True)(str(tmp_path / 'a.png'), out_dir=str(tmp_path / 'out'))
    assert tree(tmp_path / 'out') == ['preds/a.json', 'sr/a.png', 'vis/a.png']
    content = json.loads((tmp_path / 'out/preds/a.json').read_text())
    assert (content['width'], content['height']) == (300, 200)
    assert np.allclose(sorted(np.round(content['pred_instances']['bboxes']).tolist()), boxes, atol=1)
    assert len(content['pred_instances'].get('masks', ())) == len(boxes) * masks
    sr = cv2.imread(str(tmp_path / 'out/sr/a.png'))
    assert sr.shape == (800, 1200, 3) and abs(cv2.resize(image, (1200, 800)).astype(int) - sr).mean() < 1
    assert cv2.imread(str(tmp_path / 'out/vis/a.png')).shape == sr.shape
    assert result['skipped'] == {}


@pytest.mark.parametrize('resizes', [False, True])
def test_a_pipeline_that_resizes_windows_is_reported(resizes, monkeypatch):
    lines = []
    monkeypatch.setattr('sr4ir_mm.scenes.predictor.print_log', lambda text, *_: lines.append(text))
    pipeline = [LOAD, *([dict(type='Resize', scale=(96, 64), keep_ratio=True)] * resizes), PACK_DET]
    run = detector(window=40, pipeline=pipeline)
    run(rectangles(0)[0])
    assert len(lines) == resizes
    assert not resizes or lines[0].startswith('The test pipeline makes 64 x 64 px of windows of 160 x 160 SR px')


class Stop(Exception):
    """As of a kill, at a window."""


@pytest.mark.parametrize('window', [2, 3, 5])
def test_a_run_that_was_stopped_continues(window, tmp_path, monkeypatch):
    image = tmp_path / 'a.png'
    cv2.imwrite(str(image), picture(150, 205))
    whole = inferencer(window=96, save_sr=True)
    whole(str(image), out_dir=str(tmp_path / 'whole'))
    count = len(whole.model.task.sizes)
    run = inferencer(window=96, save_sr=True)
    forward = run.model.task.forward

    def stop(*args, **kwargs):
        if len(run.model.task.sizes) == window:
            raise Stop
        return forward(*args, **kwargs)

    monkeypatch.setattr(run.model.task, 'forward', stop)
    with pytest.raises(Stop):
        run(str(image), out_dir=str(tmp_path / 'out'))
    assert tree(tmp_path / 'out') == []  # no half result
    again = inferencer(window=96, save_sr=True)
    again(str(image), out_dir=str(tmp_path / 'out'))
    assert len(again.model.task.sizes) == count - window // 3 * 3  # rows of three windows
    for name in (names := tree(tmp_path / 'whole')):
        assert (tmp_path / 'out' / name).read_bytes() == (tmp_path / 'whole' / name).read_bytes(), name
    assert tree(tmp_path / 'out') == names and len(names) == 4


def tree(folder) -> list[str]:
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob('*') if path.is_file() and '/.' not in str(path)
    )
