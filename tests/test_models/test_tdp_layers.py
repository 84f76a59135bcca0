"""The default layers of real nets of every family, and that they are what T's forward passes through."""

import copy

import pytest
import torch
from helpers import zoo
from helpers.tdp_sizes import tdp_sizes
from helpers.torch_version import needs_new_torch
from mmengine.registry import MODELS
from mmengine.structures import BaseDataElement
from torch import nn

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import FeatureRecorder
from sr4ir_mm.models.tdp_layers import default_layers

NECK = {'neck[fine0]': 0.5, 'neck[fine1]': 0.5}
BACKBONE = {'backbone[map]': 1.0}


def shapes(task: nn.Module, size: int = 64) -> list[tuple[int, ...]]:
    """Shapes of the default features of one image."""
    meta = dict(img_shape=(size, size), ori_shape=(size, size), batch_input_shape=(size, size))
    recorder = FeatureRecorder(task.eval(), default_layers(task))
    features = recorder(torch.rand(1, 3, size, size, requires_grad=True), [BaseDataElement(metainfo=meta)])
    return [tuple(feature.shape[1:]) for feature in features.values()]


@pytest.mark.parametrize(
    'path, layers, expected',
    [
        ('mmdet::retinanet/retinanet_r18_fpn_1x_coco.py', NECK, [(256, 8, 8), (256, 4, 4)]),
        # deepest level first
        ('mmdet::yolo/yolov3_mobilenetv2_8xb24-320-300e_coco.py', NECK, [(96, 8, 8), (96, 4, 4)]),
        # one level
        ('mmdet::detr/detr_r18_8xb2-500e_coco.py', NECK, [(256, 2, 2), (256, 2, 2)]),
        ('mmseg::segformer/segformer_mit-b0_8xb2-160k_ade20k-512x512.py', BACKBONE, [(256, 2, 2)]),
        ('mmseg::poolformer/fpn_poolformer_s12_8xb4-40k_ade20k-512x512.py', NECK, [(256, 16, 16), (256, 8, 8)]),
        ('mmpretrain::resnet/resnet18_8xb32_in1k.py', BACKBONE, [(512, 2, 2)]),
    ],
)
def test_zoo(path, layers, expected, monkeypatch):
    monkeypatch.setitem(zoo.CONFIGS, 'net', path)
    task = zoo.bare_net(zoo.net_config('net'))
    assert default_layers(task) == layers
    assert shapes(task) == expected


def vit(**kwargs) -> dict:
    return dict(type='VisionTransformer', img_size=64, patch_size=16, **kwargs)


CLASSIFIER = dict(type='mmpretrain.ImageClassifier', _scope_='mmpretrain')
TINY = dict(embed_dims=12, num_layers=2, num_heads=2, feedforward_channels=8)
SEGMENTOR = dict(
    type='mmseg.EncoderDecoder',
    _scope_='mmseg',
    decode_head=dict(type='FCNHead', in_channels=12, channels=4, num_classes=2),
)


@pytest.mark.parametrize(
    'cfg, layer, expected',
    [
        (dict(CLASSIFIER, backbone=vit(arch=TINY)), 'backbone[map]', (12, 4, 4)),  # returns the class token alone
        (dict(CLASSIFIER, backbone=vit(arch=TINY, out_type='raw')), 'backbone[map]', (12, 4, 4)),  # tokens
        (
            dict(SEGMENTOR, backbone=vit(embed_dims=12, num_layers=2, num_heads=2, output_cls_token=True,
                                         with_cls_token=True, out_indices=(0, 1))),
            'backbone[map]', (12, 4, 4),
        ),  # maps, each next to its class token
        (dict(type='mmpretrain.TimmClassifier', model_name='resnet10t'), 'model.layer4[map]', (512, 2, 2)),
        (
            dict(type='mmpretrain.TimmClassifier', model_name='vit_tiny_patch16_224', img_size=64, depth=1),
            'model.norm[map]', (192, 4, 4),
        ),
        (
            dict(type='mmpretrain.TimmClassifier', model_name='swin_tiny_patch4_window7_224', img_size=64,
                 window_size=2, depths=(1, 1), num_heads=(1, 1), embed_dim=12),
            'model.norm[map]', (8, 8, 24),
        ),  # N x H x W x C
        (dict(type='sr4ir_mm.TorchvisionClassifier', name='resnet18', num_classes=2), 'net.layer4[map]', (512, 2, 2)),
        (
            dict(type='sr4ir_mm.TorchvisionSegmentor', name='lraspp_mobilenet_v3_large', num_classes=2,
                 data_preprocessor=dict(type='mmseg.SegDataPreProcessor')),
            'net.backbone[map]', (960, 4, 4),
        ),
    ],
)  # fmt: skip
def test_built(cfg, layer, expected):
    task = MODELS.build(copy.deepcopy(cfg))
    assert default_layers(task) == {layer: 1.0}
    assert shapes(task) == [expected]


@pytest.mark.parametrize(
    'backbone, size, path, expected',
    [
        # logits
        (dict(type='VGG', depth=11, num_classes=10), 224, 'backbone.features.12', (512, 7, 7)),
        (dict(type='InceptionV3', num_classes=10), 299, 'backbone.Mixed_7c', (2048, 8, 8)),
        # pooled vectors
        (dict(type='ConvNeXt', arch='atto'), 96, 'backbone.stages.3', (320, 3, 3)),
        (dict(type='ConvNeXt', arch='atto', use_grn=True), 32, 'backbone.norm3', (320, 1, 1)),  # of one place
        (dict(type='EdgeNeXt', arch='xxsmall'), 96, 'backbone.stages.3', (168, 3, 3)),
        (dict(type='HorNet', arch='tiny'), 64, 'backbone.stages.3', (512, 2, 2)),
        (dict(type='TinyViT', arch='5m', img_size=(64, 64), window_size=[2] * 4), 64, 'backbone.stages.3', (320, 2, 2)),
        # class tokens
        (dict(type='DistilledVisionTransformer', arch='deit-tiny', img_size=(64, 32)), (64, 32), 'backbone.ln1',
         (192, 4, 2)),
        (dict(type='T2T_ViT', img_size=64, num_layers=1), 64, 'backbone.norm', (384, 4, 4)),
        (dict(type='XCiT', img_size=64, embed_dims=12, depth=1, cls_attn_layers=1, num_heads=2, mlp_ratio=1), 64,
         'backbone.norm', (12, 4, 4)),
        (dict(type='TNT', arch='s', img_size=64), 64, 'backbone.norm', (384, 4, 4)),
        (dict(type='ViTEVA02', arch='t', img_size=56, out_type='avg_featmap', final_norm=False), 56,
         'backbone.layers.11', (192, 4, 4)),
        # maps as N x C x L
        (dict(type='EfficientFormer', arch='l1'), 224, 'backbone', (448, 7, 7)),
        (dict(type='SwinTransformer', arch='tiny', window_size=2, img_size=64), 64, 'backbone', (768, 2, 2)),
    ],
)  # fmt: skip
def test_the_last_map_of_mmpretrains_nets(backbone, size, path, expected):
    backbone = dict(backbone, type=f'mmpretrain.{backbone["type"]}')
    task = MODELS.build(dict(CLASSIFIER, backbone=backbone)).eval()
    recorder = FeatureRecorder(task, default_layers(task))
    size = (size, size) if isinstance(size, int) else size
    (feature,) = recorder(torch.rand(2, 3, *size, requires_grad=True)).values()
    assert recorder.paths() == {'backbone[map]': path}
    assert feature.shape[1:] == expected and feature.requires_grad


def test_two_classifiers_of_timm():
    tiny = dict(patch_size=16, img_size=64, depth=1, embed_dim=12, num_heads=2)
    task = MODELS.build(
        dict(type='mmpretrain.TimmClassifier', model_name='deit_tiny_distilled_patch16_224', **tiny)
    ).eval()
    recorder = FeatureRecorder(task, default_layers(task))
    assert recorder(torch.rand(1, 3, 64, 64))['model.head[map]'].shape == (1, 12, 4, 4)
    assert recorder.paths() == {'model.head[map]': 'model.norm'}


def test_the_auxiliary_classifiers_of_googlenet_are_no_layer():
    task = MODELS.build(dict(type='sr4ir_mm.TorchvisionClassifier', name='googlenet', num_classes=2))
    assert default_layers(task) == {'net.inception5b[map]': 1.0}
    assert shapes(task) == [(1024, 2, 2)]


@needs_new_torch
def test_hugging_face(tmp_path):
    transformers = pytest.importorskip('transformers')
    sizes = dict(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], num_labels=2)
    transformers.ResNetConfig(**sizes).save_pretrained(tmp_path)
    task = MODELS.build(dict(type='mmpretrain.HuggingFaceClassifier', model_name=str(tmp_path)))
    assert default_layers(task) == {'model.resnet[map]': 1.0}
    assert shapes(task) == [(16, 8, 8)]  # the map, though the pooled vector comes last


class Net(nn.Module):
    """Modules by name; never run."""

    def __init__(self, **modules: nn.Module | dict) -> None:
        super().__init__()
        for name, module in modules.items():
            setattr(self, name, MODELS.build(module) if isinstance(module, dict) else module)


def body() -> nn.Module:
    return nn.Conv2d(3, 4, 3)


@pytest.mark.parametrize(
    'neck',
    [
        dict(type='mmpretrain.GlobalAveragePooling'),
        dict(type='mmdet.GlobalAveragePooling', kernel_size=2, stride=1),
        nn.Sequential(nn.Conv2d(4, 4, 1), MODELS.build(dict(type='mmpretrain.GlobalAveragePooling'))),
        dict(type='mmpretrain.SimMIMLinearDecoder', in_channels=4, encoder_stride=2),  # only runs for the loss
        dict(type='mmpretrain.LinearNeck', in_channels=4, out_channels=4),
    ],
)
def test_necks_that_make_no_maps(neck):
    assert default_layers(Net(backbone=body(), neck=neck)) == BACKBONE


def test_torchvision_detector():
    config = dict(type='sr4ir_mm.TorchvisionDetector', name='fasterrcnn_mobilenet_v3_large_320_fpn', num_classes=2)
    task = MODELS.build({**config, 'data_preprocessor': dict(type='mmdet.DetDataPreprocessor')})
    assert default_layers(task) == {'net.backbone.fpn[fine0]': 0.5, 'net.backbone.fpn[fine1]': 0.5}
    assert shapes(task) == [(256, 10, 10)] * 2  # two of one size; it enlarges the image to 320 px


def test_the_outermost_backbone_counts():
    inner = Net(backbone=body(), neck=body())
    assert default_layers(Net(detector=inner)) == {'detector.neck[fine0]': 0.5, 'detector.neck[fine1]': 0.5}
    assert default_layers(Net(backbone=body(), teacher=inner)) == BACKBONE
    assert default_layers(Net(backbone=inner)) == BACKBONE
    assert default_layers(Net(image_encoder=body(), text_encoder=body())) == {'image_encoder[map]': 1.0}


def test_the_last_of_a_list_of_blocks():
    net = Net(stem=body(), blocks=nn.ModuleList([body(), body()]), norm=nn.Identity(), fc=nn.Linear(4, 2))
    assert default_layers(Net(model=net)) == {'model.blocks.1[map]': 1.0}


@pytest.mark.parametrize(
    'task, why',
    [
        (Net(net=Net(student=Net(backbone=body()), teacher=Net(backbone=body()))),
         r'several backbones \(net\.student\.backbone, net\.teacher\.backbone\)'),
        (Net(text=Net(body=body(), head=body()), image=body()), 'no backbone'),
        (Net(model=body()), 'no backbone'),
    ],
)  # fmt: skip
def test_no_sensible_default(task, why):
    message = rf'^The task network \(Net\) has {why}: set model\.tdp\.layers, e\.g\. .*list_layers\.py CONFIG'
    with pytest.raises(SR4IRError, match=message):
        default_layers(task)


def test_one_weight_serves_every_net():
    """The same change of the image: the relative loss is of one size, whatever the size of T's features."""
    features, plain, relative = zip(*(sizes.values() for sizes in tdp_sizes().values()))
    assert max(features) > 100 * min(features)
    assert max(plain) > 100 * min(plain)
    assert max(relative) < 3 * min(relative)
