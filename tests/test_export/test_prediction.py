"""A file predicts as T's own ``predict`` on the way of tools/infer.py: windows, padding, heads of several outputs."""

import cv2
import numpy as np
import pytest
import torch
from helpers.torch_version import needs_export
from helpers.toy import EDSR
from helpers.zoo import net_config
from mmengine.hub import get_config
from mmengine.registry import DefaultScope
from torch import nn

from sr4ir_mm.config.zoo import without_weights
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.export import export
from sr4ir_mm.export.nets import parts
from sr4ir_mm.export.reference import Reference, to_tensor
from sr4ir_mm.models import SR4IR

RESNET = {'backbone.base_channels': 8, 'backbone.stem_channels': 8}
FCN = {**RESNET, 'decode_head.in_channels': 256, 'decode_head.channels': 8, 'auxiliary_head': None}
DETECTOR = {**RESNET, 'neck.in_channels': [8, 16, 32, 64], 'neck.out_channels': 8, 'bbox_head.in_channels': 8,
            'bbox_head.feat_channels': 8, 'bbox_head.stacked_convs': 1, 'bbox_head.num_classes': 5}  # fmt: skip
CLASSIFIER = {**RESNET, 'head.in_channels': 64, 'head.num_classes': 10}
SLIDE = dict(mode='slide', crop_size=(48, 56), stride=(32, 40))


def zoo_net(path: str, **options) -> dict:
    cfg = get_config(path)
    cfg.model.setdefault('data_preprocessor', cfg.get('data_preprocessor'))
    cfg.merge_from_dict({f'model.{key}': value for key, value in options.items()})
    cfg.model.data_preprocessor.pop('size', None)
    cfg.model._scope_ = path.partition('::')[0]
    return without_weights(cfg.model)


def encnet() -> dict:
    options = {'decode_head.in_channels': [64, 128, 256], 'decode_head.channels': 8, 'auxiliary_head': None}
    return zoo_net('mmseg::encnet/encnet_r50-d8_4xb2-40k_cityscapes-512x1024.py', **RESNET, **options)


def segnext(**options) -> dict:
    small = {'embed_dims': [8] * 4, 'depths': [1] * 4}
    head = {'in_channels': [8] * 3, 'channels': 8, 'ham_channels': 8, 'norm_cfg.num_groups': 4, **options}
    options = {f'backbone.{key}': value for key, value in small.items()}
    options |= {f'decode_head.{key}': value for key, value in head.items()}
    return zoo_net('mmseg::segnext/segnext_mscan-t_1xb16-adamw-160k_ade20k-512x512.py', **options)


def swin() -> dict:
    small = {'embed_dims': 8, 'depths': [2, 1, 1, 1], 'num_heads': [1] * 4}
    options = {f'backbone.{key}': value for key, value in small.items()}
    options |= {'decode_head.in_channels': [8, 16, 32, 64], 'decode_head.channels': 8, 'auxiliary_head': None}
    path = 'mmseg::swin/swin-tiny-patch4-window7-in1k-pre_upernet_8xb2-160k_ade20k-512x512.py'
    return zoo_net(path, **options)


def conformer() -> dict:
    return zoo_net('mmpretrain::conformer/conformer-tiny-p16_8xb128_in1k.py', **{'head.num_classes': 10})


NETS = dict(
    slide=lambda: net_config('deeplabv3', **FCN, test_cfg=SLIDE),
    size_divisor=lambda: net_config('segformer', dict(test_cfg=dict(size_divisor=32))),
    fixed_size=lambda: net_config('segformer', dict(test_cfg=dict(size=(192, 224)))),
    slide_padded=lambda: net_config('deeplabv3', dict(test_cfg=dict(size_divisor=48)), **FCN, test_cfg=SLIDE),
    encnet=encnet,
    segnext=lambda: segnext(**{'ham_kwargs.rand_init': False}),
    detector=lambda: net_config('retinanet', **DETECTOR),
    classifier_pads=lambda: net_config('resnet18', dict(pad_size_divisor=48), **CLASSIFIER),
    odd_padding=lambda: net_config('resnet18', dict(pad_size_divisor=30), **CLASSIFIER),
    conformer=conformer,
)  # fmt: skip


def build(task: dict | nn.Module, scheme: str = 'S+T') -> SR4IR:
    scope = task.get('_scope_') if isinstance(task, dict) else 'mmengine'
    with DefaultScope.overwrite_default_scope(scope):
        model = SR4IR(EDSR if scheme == 'S+T' else None, task, 4, scheme).eval()
    for module in model.modules():  # weights as large as trained ones
        if isinstance(module, (nn.Linear, nn.LayerNorm)):
            nn.init.normal_(module.weight, std=0.3)
    return model


def noise(*size: int) -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8))


@pytest.mark.parametrize('split', [False, True], ids=['one file', 'two files'])
@pytest.mark.parametrize('name', NETS)
@torch.no_grad()
def test_functions_predict_as_the_inferencer(name, split):
    """What is traced, in PyTorch: on sizes that T's preprocessor pads."""
    model = build(NETS[name]())
    for net, factor, scheme in parts(model, split, raw=True).values():
        for batch, height, width in ((2, 17, 23), (1, 33, 30)):
            images = noise(batch, factor * height, factor * width)
            found = net(to_tensor(images))
            expected = Reference(model, scheme, raw=True)(images)
            assert list(found) == list(expected)
            for key, (value, convert) in expected.items():
                ours = convert(found[key])
                assert ours.shape == value.shape
                assert torch.allclose(ours, value, rtol=0, atol=1e-5 * float(value.abs().max())), (name, key)


@needs_export
@pytest.mark.parametrize('task', [swin, NETS['slide']], ids=['swin', 'slide'])
@pytest.mark.slow
def test_one_size_and_any_batch(task, tmp_path):
    (rows,) = export(build(task()), tmp_path / 'model.pt2', shape=(20, 27)).values()
    assert {row.size for row in rows} == {(batch, 20, 27) for batch in (1, 2, 3)}


@needs_export
def test_the_comparison_finds_other_padding(tmp_path, monkeypatch):
    """It compared a file with the function that it was made of."""
    monkeypatch.setattr('sr4ir_mm.export.padding.Padding.pad_lr', lambda self, lr, scale: lr)
    with pytest.raises(SR4IRError, match=r"from the prediction in PyTorch by .* in 'sr' at \(1, 40, 56\) \(noise\)"):
        export(build(NETS['classifier_pads']()), tmp_path / 'model.pt2')
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ('task', 'shape', 'message'),
    [
        (NETS['slide'], None, r"windows \(test_cfg.mode='slide'\).* --shape H W, or .* --cfg-options model."),
        (NETS['fixed_size'], None, r'pads images to \(192, 224\) \(test_cfg.size\): .* --shape H W'),
        (segnext, (20, 27), r'differs from call to call.* model.task.decode_head.ham_kwargs.rand_init=False'),
    ],
    ids=['slide', 'fixed size', 'segnext'],
)  # fmt: skip
@needs_export
def test_remedies(task, shape, message, tmp_path):
    with pytest.raises(SR4IRError, match=message):
        export(build(task()), tmp_path / 'model.pt2', shape=shape)
    assert not list(tmp_path.iterdir())


@needs_export
@pytest.mark.slow
def test_steps_of_the_pipeline_and_real_images(tmp_path, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr('sr4ir_mm.export.reference.print_log', lambda text, *args: said.append(text))
    for i, (height, width) in enumerate(((150, 200), (700, 500))):
        cv2.imwrite(str(tmp_path / f'{i}.png'), cv2.blur(noise(1, height, width)[0], (9, 9)))
    files = sorted(tmp_path.glob('*.png'))
    pipeline = [
        dict(type='LoadImageFromFile'),
        dict(type='mmpretrain.ResizeEdge', scale=256, edge='short', backend='pillow'),
        dict(type='mmpretrain.CenterCrop', crop_size=224),
        dict(type='mmpretrain.PackInputs'),
    ]
    reports = export(build(NETS['classifier_pads']()), tmp_path / 'model.pt2', True, None, pipeline, files)
    sr, task = reports.values()
    assert [row.size for row in sr if row.image == '0.png'] == [(1, 38, 50)]
    assert {row.image for row in task} == {'noise', '0.png', '1.png'}
    assert len(said) == 1 and 'does not hold ResizeEdge, CenterCrop of the test pipeline' in said[0]
    pipeline.insert(1, dict(type='mmseg.CLAHE'))  # a step that the file cannot hold
    with pytest.raises(SR4IRError, match='The test pipeline changes images by CLAHE, which a file cannot hold'):
        export(build(NETS['classifier_pads']()), tmp_path / 'model.pt2', False, None, pipeline, files)
    assert len(export(build(NETS['classifier_pads']()), tmp_path / 'model.pt2', True, None, pipeline)) == 2
