"""An LR image is predicted as its HR image is in a test: the same padding, the same values, for nets of each zoo."""

import copy

import numpy as np
import pytest
import torch
from helpers.toy import EDSR
from helpers.zoo import net_config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import DefaultScope
from torch import nn

from sr4ir_mm.inference.lr_predictor import LRPredictor
from sr4ir_mm.models import SR4IR
from sr4ir_mm.utils import to_uint8

RESNET = {'backbone.base_channels': 8, 'backbone.stem_channels': 8}
FPN = {'neck.in_channels': [8, 16, 32, 64], 'neck.out_channels': 8, 'bbox_head.in_channels': 8,
       'bbox_head.feat_channels': 8, 'bbox_head.stacked_convs': 1, 'bbox_head.num_classes': 5}  # fmt: skip
FCN = {**RESNET, 'decode_head.in_channels': 256, 'decode_head.channels': 8, 'auxiliary_head': None}
LOAD = dict(type='LoadImageFromFile')
TO_PIL, FROM_PIL = dict(type='NumpyToPIL', to_rgb=True), dict(type='PILToNumpy', to_bgr=True)


def keep_ratio(*scale: int) -> dict:
    return dict(type='Resize', scale=scale, keep_ratio=True)


PAD_TO_SQUARE = dict(type='Pad', pad_to_square=True, pad_val=dict(img=(114.0, 114.0, 114.0)))
#: net, options of it and of its preprocessor, test pipeline after loading, HR size
CASES = dict(
    whole=('deeplabv3', FCN, {}, [], (64, 84)),
    slide=('deeplabv3', {**FCN, 'test_cfg': dict(mode='slide', crop_size=(48, 48), stride=(32, 32))}, {}, [], (64, 84)),
    size_divisor=('segformer', {}, dict(test_cfg=dict(size_divisor=32)), [], (68, 84)),
    fixed_size=('segformer', {}, dict(test_cfg=dict(size=(96, 128))), [], (68, 84)),
    padded=('retinanet', {**RESNET, **FPN}, {}, [], (68, 84)),
    resized=('retinanet', {**RESNET, **FPN}, {}, [keep_ratio(133, 80)], (160, 200)),
    resized_to_an_odd_size=('retinanet', {**RESNET, **FPN}, {}, [keep_ratio(133, 80)], (152, 266)),
    letterbox=('yolox', {}, {}, [keep_ratio(96, 96), PAD_TO_SQUARE], (96, 72)),
    pillow=('resnet18', RESNET, {}, [dict(type='Resize', scale=(64, 64), backend='pillow')], (80, 80)),
    torchvision=('resnet18', RESNET, {}, [TO_PIL, dict(type='torchvision/Resize', size=(64, 64)), FROM_PIL], (80, 90)),
    unknown_step=('resnet18', RESNET, {}, [dict(type='Posterize', bits=8, prob=1.0)], (64, 64)),
    classifier_pads=('resnet18', RESNET, dict(pad_size_divisor=32), [], (68, 84)),
)  # fmt: skip


def build(name: str, options: dict, preprocessor: dict, scheme: str) -> tuple[SR4IR, str]:
    task = net_config(name, preprocessor, **{**options, **HEADS.get(name, {})})
    scope = task['_scope_']
    with DefaultScope.overwrite_default_scope(scope):
        model = SR4IR(EDSR if scheme == 'S+T' else None, task, 4, scheme).eval()
    for layer, module in model.task.named_modules():  # new networks give almost the same for all images
        if isinstance(module, (nn.Conv2d, nn.Linear)) and not layer.endswith('_reg'):
            nn.init.kaiming_normal_(module.weight)
    if scheme == 'S+T':
        nn.init.normal_(model.sr.conv_last.weight, std=0.3)  # values beyond [0, 1]
    return model, scope


HEADS = dict(
    resnet18={'head.in_channels': 64, 'head.num_classes': 10},
    retinanet={'test_cfg.score_thr': -1.0, 'test_cfg.max_per_img': 5, 'test_cfg.nms_pre': 50},
    yolox={'test_cfg.score_thr': -1.0},
)
PACKS = dict(mmseg='PackSegInputs', mmdet='PackDetInputs', mmpretrain='PackInputs')


def fields(sample) -> list[torch.Tensor]:
    """What a net predicts: logits, scores, or boxes in the order of their scores."""
    if 'seg_logits' in sample:
        return [sample.seg_logits.data]
    if 'pred_score' in sample:
        return [sample.pred_score]
    boxes = sample.pred_instances
    return [boxes.bboxes[:5], boxes.scores[:5]]


OTHERS = [(case, scheme) for case in ('padded', 'pillow', 'size_divisor') for scheme in ('L->T', 'H->T')]


@pytest.mark.parametrize(('case', 'scheme'), [*((case, 'S+T') for case in CASES), *OTHERS])
@torch.no_grad()
def test_prediction(case, scheme):
    name, options, preprocessor, steps, hr_size = copy.deepcopy(CASES[case])
    model, scope = build(name, options, preprocessor, scheme)
    hr = np.random.default_rng(0).integers(0, 256, (*hr_size, 3), dtype=np.uint8)
    pipeline = [*steps, dict(type=PACKS[scope])]
    with DefaultScope.overwrite_default_scope(scope):
        item = dict(img=hr, img_path='x.png', img_id=0, img_shape=hr_size, ori_shape=hr_size, scale_factor=(1.0, 1.0))
        packed = Compose([*(dict(step) for step in pipeline)])(item)
        height, width = packed['inputs'].shape[1:] if case != 'letterbox' else hr_size
        (expected,) = model.test_step(pseudo_collate([packed]))
        image = expected.hr if scheme == 'H->T' else expected.lr  # with its padding
        divisor = 1 if scheme == 'H->T' else 4
        image = image[:, : -(-height // divisor), : -(-width // divisor)]
        predictor = LRPredictor(model, [LOAD, *pipeline])
        (found,) = predictor([dict(img=to_uint8(image)[..., ::-1], img_path='x.png', img_id=0)], 'sr')
    shape = (4 * -(-height // 4), 4 * -(-width // 4)) if scheme != 'H->T' else (height, width)
    assert found.metainfo['ori_shape'] == shape == tuple(found.task_input.shape[1:])
    assert torch.allclose(found.task_input[:, :height, :width], expected.task_input[:, :height, :width], atol=1e-5)
    ratio = hr_size[1] / width  # boxes are in the coordinates of the file
    for i, (ours, theirs) in enumerate(zip(fields(found), fields(expected))):
        theirs = theirs / ratio if i == 0 and 'pred_instances' in expected else theirs
        assert theirs.numel() and ours.shape == theirs.shape
        assert torch.allclose(ours, theirs, rtol=1e-3, atol=1e-3 * float(theirs.abs().max()))
