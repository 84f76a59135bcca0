"""What the task network's pipeline receives: images of the right type and range, each of its own size."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from helpers.pictures import visualizer
from helpers.zoo import net_config
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope
from torch import nn

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.inference.lr_predictor import LRPredictor
from sr4ir_mm.models import SR4IR, BicubicDegradation, SRDataPreprocessor
from sr4ir_mm.utils import to_uint8
from sr4ir_mm.visualization import make_panel

LOAD, PACK = dict(type='sr4ir_mm.CheckedLoadImageFromFile'), dict(type='mmseg.PackSegInputs')


class Overshoot(nn.Module):
    """An SR network whose results leave [0, 1]."""

    def forward(self, x):
        return nn.functional.interpolate(x * 2 - 0.5, scale_factor=4, mode='bicubic')


class Recorder(nn.Module):
    """A task network that keeps its inputs."""

    def forward(self, inputs, data_samples, mode):
        self.inputs = inputs
        return data_samples


def predictor(*steps: dict, load: dict = LOAD, **kwargs) -> LRPredictor:
    scheme = SimpleNamespace(test_input='sr', uses_task_net=True)
    model = SimpleNamespace(scheme=scheme, scale=4, sr=Overshoot(), upsample=Overshoot(), task=Recorder())
    model.data_preprocessor = SRDataPreprocessor(dict(type='mmengine.ImgDataPreprocessor'), BicubicDegradation(4))
    model.run_task = model.task
    model.parameters = lambda: iter([torch.zeros(1)])
    with DefaultScope.overwrite_default_scope('mmseg'):
        return LRPredictor(model, [load, *steps, PACK], **kwargs)


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    'step',
    [
        dict(type='mmseg.CLAHE'),
        dict(type='mmseg.AdjustGamma', gamma=1.5),
        dict(type='mmpretrain.Equalize', prob=1.0),
        dict(type='mmpretrain.Posterize', bits=3, prob=1.0),
        dict(type='mmcv.Resize', scale=(48, 48), backend='pillow'),
    ],
    ids=lambda step: step['type'],
)
def test_steps_for_8_bits_receive_what_a_file_holds(tmp_path, step):
    """Values beyond 255 became dark ones."""
    lr, run = picture(12, 16), predictor(step)
    (sample,) = run([dict(img=lr, img_path='x.png')])
    assert sample.task_input.min() < 0 and sample.task_input.max() > 1
    cv2.imwrite(str(tmp_path / 'sr.png'), to_uint8(sample.task_input)[..., ::-1])
    with DefaultScope.overwrite_default_scope('mmseg'):
        expected = Compose([LOAD, step, PACK])(dict(img_path=str(tmp_path / 'sr.png')))
    assert torch.equal(run.model.task.inputs[0], expected['inputs'])


def test_a_step_that_nobody_knows_receives_8_bits():
    received = []

    def own(results: dict) -> dict:
        received.append(results['img'])
        return results

    from mmengine.registry import TRANSFORMS

    TRANSFORMS.register_module(name='Own', module=lambda: own, force=True)
    for dtype, load in ((np.uint8, LOAD), (np.float32, dict(LOAD, to_float32=True))):
        received.clear()
        predictor(dict(type='Own'), load=load)([dict(img=picture(12, 16))])
        assert all(image.dtype == dtype and np.array_equal(image, image.astype(np.uint8)) for image in received)


def test_other_steps_keep_the_exact_values():
    run = predictor(dict(type='mmcv.Resize', scale=(64, 48)), dict(type='mmcv.Pad', size_divisor=4))
    (sample,) = run([dict(img=picture(12, 16))])
    assert torch.allclose(run.model.task.inputs[0].flip(0), sample.task_input * 255, atol=1e-4)


@pytest.fixture(scope='module')
def detector() -> LRPredictor:
    torch.manual_seed(0)
    resize = dict(type='mmdet.Resize', scale=(96, 96), keep_ratio=True)
    annotations = dict(type='mmdet.LoadAnnotations', with_bbox=True, with_mask=True)
    pipeline = [LOAD, resize, annotations, dict(type='mmdet.PackDetInputs')]
    with DefaultScope.overwrite_default_scope('mmdet'):
        task = net_config('retinanet', **{'test_cfg.score_thr': 0.0, 'test_cfg.max_per_img': 5})
        model = SR4IR(Overshoot(), task, 4, tdp=dict(layers={'neck[0]': 1.0})).eval()
        return LRPredictor(model, pipeline, annotations=True)


def item(lr: tuple[int, int], hr: tuple[int, int], seed: int = 0) -> dict:
    box = [1, 1, hr[1] - 1, hr[0] - 1]
    polygon = [[1, 1, hr[1] - 1, 1, hr[1] - 1, hr[0] - 1, 1, hr[0] - 1]]
    instance = dict(bbox=box, bbox_label=0, ignore_flag=0, mask=polygon)
    image = np.random.default_rng(seed).integers(0, 256, (*lr, 3), dtype=np.uint8)
    return dict(img=image, img_path='x.png', img_id=seed, height=hr[0], width=hr[1], instances=[instance])


HR = ((64, 64), (61, 62), (64, 61), (62, 64), (61, 62))


def test_hr_sizes_of_one_batch(detector):
    """All have LR images of 16 x 16 px; they had the HR size of the first one."""
    items = [item((16, 16), size, i) for i, size in enumerate(HR)]
    with DefaultScope.overwrite_default_scope('mmdet'):
        together = detector(items, 'sr')
        single = [detector([entry], 'sr')[0] for entry in items]
    for one, other, size in zip(together, single, HR):
        assert one.metainfo['ori_shape'] == size == tuple(one.task_input.shape[-2:])
        assert one.metainfo['scale_factor'] == other.metainfo['scale_factor']
        assert torch.allclose(one.pred_instances.bboxes, other.pred_instances.bboxes, atol=1e-3)
        assert one.gt_instances.masks.masks.shape == (1, *size)


@pytest.mark.parametrize('coords', ['lr', 'sr'])
def test_masks_have_the_size_of_the_annotations(detector, coords):
    size = (16, 20) if coords == 'lr' else (64, 80)
    with DefaultScope.overwrite_default_scope('mmdet'):
        (sample,) = detector([item((16, 20), size)], coords)
    assert sample.gt_instances.masks.masks.shape == (1, *size) and sample.metainfo['ori_shape'] == size
    sample.pred_instances = sample.pred_instances[:1]
    sample.pred_instances.labels[:] = 0  # the visualizer has few colors
    sample.pred_instances.masks = torch.ones(1, *size, dtype=torch.bool)
    panel = make_panel(visualizer('mmdet.DetLocalVisualizer'), sample)
    height, width, _ = panel.drawn['ground truth'].shape  # small images are enlarged by a whole number
    assert height % size[0] == 0 and height // size[0] == width / size[1]


@pytest.mark.parametrize(
    ('coords', 'size', 'wanted'),
    [
        ('sr', (16, 20), '80 x 64'),
        ('lr', (64, 80), '20 x 16'),
        ('sr', (60, 80), '80 x 64'),
        ('sr', (64, 84), '80 x 64'),
    ],
)
def test_annotations_of_another_size(detector, coords, size, wanted):
    message = f"'x.png' has 20 x 16 px, but its annotations are for an image of {size[1]} x {size[0]} px, not {wanted}"
    with pytest.raises(SR4IRError, match=message):
        detector([item((16, 20), size)], coords)


@pytest.mark.parametrize('size', [(63, 79), (64, 80), (67, 83)])
def test_annotations_of_images_that_scale_does_not_divide(detector, size):
    """LR images of 16 x 20 px, whether their maker rounded up or down."""
    with DefaultScope.overwrite_default_scope('mmdet'):
        (sample,) = detector([item((16, 20), size)], 'sr')
    assert sample.metainfo['ori_shape'] == (min(size[0], 64), min(size[1], 80))


def test_the_limit_of_pixels():
    run = predictor(max_pixels=16 * 12 * 16)
    assert run.max_lr_pixels == 12 * 16
    run([dict(img=picture(12, 16))])
    with pytest.raises(SR4IRError, match='16 x 13 px makes an SR image of 64 x 52 px, but at most 3,072 pixels'):
        run([dict(img=picture(13, 16))])
