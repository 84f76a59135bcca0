"""Backbones of transformers, and of timm by mmpretrain, under heads of the zoos."""

import pytest
import torch
import transformers
from helpers.hf import cases, few_classes, write
from helpers.toy import EDSR
from helpers.zoo import batch_for, wrappers_for
from mmengine.registry import init_default_scope
from safetensors.torch import load_file, save_file

from sr4ir_mm.config import load_config
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR, HFBackbone
from sr4ir_mm.registry import MODELS

VIT = dict(hidden_size=16, num_hidden_layers=4, num_attention_heads=2, image_size=64, patch_size=16)
STAGES = ['stage1', 'stage2', 'stage3', 'stage4']
BACKBONES = {
    'Dinov2Backbone': VIT,
    'DINOv3ViTBackbone': dict(VIT, intermediate_size=32),
    'SwinBackbone': dict(embed_dim=8, depths=[1] * 4, num_heads=[1, 1, 2, 2], window_size=4, image_size=64),
    'ConvNextV2Backbone': dict(hidden_sizes=[8, 16, 24, 32], depths=[1] * 4),
}
TIMM = dict(type='mmpretrain.TIMMBackbone', model_name='resnet10t', features_only=True, out_indices=(1, 2, 3, 4))


def backbone(name: str, **options) -> dict:
    return dict(type='sr4ir_mm.HFBackbone', architecture=name, config=BACKBONES[name], **options)


def segmentor(net: dict, channels: list[int], neck: dict | None = None) -> dict:
    """UPerNet of mmseg; tokens of one scale become a pyramid."""
    head = dict(type='mmseg.UPerHead', in_channels=channels, in_index=[0, 1, 2, 3], channels=8, pool_scales=(1, 2),
                num_classes=5, norm_cfg=dict(type='BN'))  # fmt: skip
    size = dict(type='mmseg.SegDataPreProcessor', size=(64, 64), mean=[123.675] * 3, std=[58.395] * 3, bgr_to_rgb=True)
    return dict(type='mmseg.EncoderDecoder', data_preprocessor=size, backbone=net, neck=neck, decode_head=head)


def train(task: dict, zoo: str) -> SR4IR:
    init_default_scope(zoo)
    torch.manual_seed(0)
    model = SR4IR(dict(EDSR), task, scale=4).train()
    model.init_weights()
    logs = model.train_step(few_classes(batch_for(dict(_scope_=zoo))), wrappers_for(model))
    assert all(value.isfinite() for value in logs.values()) and logs['sr.loss_tdp'] > 0
    return model


@pytest.mark.parametrize('name', cases(['Dinov2Backbone', 'DINOv3ViTBackbone'], 'Dinov2Backbone'))
def test_one_scale_under_a_head_of_mmseg(name):
    neck = dict(type='mmseg.Feature2Pyramid', embed_dim=16, rescales=[4, 2, 1, 0.5], norm_cfg=dict(type='BN'))
    train(segmentor(backbone(name, out_indices=[1, 2, 3, 4]), [16] * 4, neck), 'mmseg')


@pytest.mark.slow
@pytest.mark.parametrize(
    ('name', 'channels'), [('SwinBackbone', [8, 16, 32, 64]), ('ConvNextV2Backbone', [8, 16, 24, 32])]
)
def test_four_scales_under_a_head_of_mmseg(name, channels):
    train(segmentor(backbone(name, out_indices=[1, 2, 3, 4]), channels), 'mmseg')


@pytest.mark.slow
@pytest.mark.parametrize(
    ('net', 'channels'),
    [(backbone('ConvNextV2Backbone', out_indices=[2, 3, 4]), [16, 24, 32]), (TIMM, [128, 256, 512])],
)
def test_under_a_neck_and_a_head_of_mmdet(net, channels):
    task = dict(
        type='mmdet.RetinaNet',
        data_preprocessor=dict(type='mmdet.DetDataPreprocessor', mean=[123.675] * 3, std=[58.395] * 3, bgr_to_rgb=True,
                               pad_size_divisor=32),
        backbone=net | (dict(out_indices=(2, 3, 4)) if net is TIMM else {}),
        neck=dict(type='mmdet.FPN', in_channels=channels, out_channels=8, num_outs=5, start_level=0),
        bbox_head=dict(
            type='mmdet.RetinaHead', num_classes=5, in_channels=8, stacked_convs=1, feat_channels=8,
            anchor_generator=dict(type='mmdet.AnchorGenerator', octave_base_scale=4, scales_per_octave=1, ratios=[1.0],
                                  strides=[8, 16, 32, 64, 128]),
            bbox_coder=dict(type='mmdet.DeltaXYWHBBoxCoder'), loss_cls=dict(type='mmdet.FocalLoss', use_sigmoid=True),
            loss_bbox=dict(type='mmdet.L1Loss')),
        train_cfg=dict(assigner=dict(type='mmdet.MaxIoUAssigner', pos_iou_thr=0.5, neg_iou_thr=0.4, min_pos_iou=0),
                       sampler=dict(type='mmdet.PseudoSampler'), allowed_border=-1, pos_weight=-1),
    )  # fmt: skip
    assert list(train(task, 'mmdet').tdp.layers) == ['neck[fine0]', 'neck[fine1]']


@pytest.mark.slow
def test_a_net_of_timm_under_a_head_of_mmseg():
    train(segmentor(TIMM, [64, 128, 256, 512]), 'mmseg')


@pytest.mark.parametrize(
    ('name', 'head'),
    [('Dinov2Backbone', 'Dinov2ForImageClassification'), ('SwinBackbone', 'SwinForImageClassification')],
)
def test_weights_of_the_network_with_a_head(name, head, tmp_path):
    """What the hub has; the features are those of transformers' own backbone, also with another entry of its config."""
    write(tmp_path / 'net', head, BACKBONES[name])
    options = dict(out_indices=[1, 4], hidden_act='relu')
    expected = getattr(transformers, name).from_pretrained(tmp_path / 'net', **options).eval()
    (tmp_path / 'mine.py').write_text(
        f"model = dict(type='EncoderDecoder', backbone=dict(type='sr4ir_mm.HFBackbone', out_indices=[1, 4], "
        f"config=dict(hidden_act='relu'), pretrained={str(tmp_path / 'net')!r}))\ndefault_scope = 'mmseg'"
    )
    node = load_config(tmp_path / 'mine.py').model.backbone
    assert node.architecture == name and 'pretrained' not in node
    net = MODELS.build(node).eval()
    net.init_weights()
    image = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        found, theirs = net(image), expected(image).feature_maps
    assert len(found) == 2 and all(map(torch.equal, found, theirs))


@pytest.mark.parametrize('options', [dict(config=dict(out_indices=[2, 4])), dict(out_indices=[2, 4])])
@pytest.mark.parametrize('saved', [[1, 3], None])
def test_stages_next_to_a_folder(saved, options, tmp_path):
    """Those of the folder stand there by number and by name. ``resolve`` takes None for what is not given."""
    kind = transformers.Dinov2Backbone
    kind(kind.config_class(**VIT, **(dict(out_indices=saved) if saved else {}))).save_pretrained(tmp_path / 'net')
    net = HFBackbone(pretrained=str(tmp_path / 'net'), init_cfg=None, **options).net
    assert list(net.config.out_indices) == [2, 4] and net.config.out_features == ['stage2', 'stage4']
    node = dict(type='sr4ir_mm.HFBackbone', pretrained=str(tmp_path / 'net'), init_cfg=None, **options)
    assert HFBackbone.resolve(node)['init_cfg']['checkpoint'] == str(tmp_path / 'net/model.safetensors')


@pytest.mark.parametrize('lost', ['encoder.layer.0.norm1.weight', 'layernorm.weight'])
def test_norms_that_a_file_does_not_have(lost, tmp_path):
    """Only the norm of the feature maps may start from new values, not those of the blocks."""
    write(tmp_path / 'net', 'Dinov2ForImageClassification', VIT)
    state = load_file(tmp_path / 'net/model.safetensors')
    del state[f'dinov2.{lost}']
    save_file(state, tmp_path / 'net/model.safetensors', metadata=dict(format='pt'))
    net = dict(type='sr4ir_mm.HFBackbone', pretrained=str(tmp_path / 'net'), out_indices=[1, 2, 3, 4])
    neck = dict(type='mmseg.Feature2Pyramid', embed_dim=16, rescales=[4, 2, 1, 0.5], norm_cfg=dict(type='BN'))
    model = SR4IR(dict(EDSR), segmentor(net, [16] * 4, neck), scale=4)
    if lost.startswith('encoder'):
        with pytest.raises(SR4IRError, match='norm1'):
            model.init_weights()
    else:
        model.init_weights()


def test_the_default_sizes_of_a_network():
    assert HFBackbone('ConvNextV2Backbone').net.config.hidden_sizes == [96, 192, 384, 768]


def test_a_frozen_backbone_stays_as_it_is():
    net = HFBackbone('Dinov2Backbone', VIT, frozen=True).train()
    assert not net.net.training and not any(value.requires_grad for value in net.parameters())


def test_sides_that_patches_do_not_divide():
    net = HFBackbone('Dinov2Backbone', VIT)
    with pytest.raises(SR4IRError, match=r'leave out the border of 72 x 64 px, .* pad_size_divisor=16'):
        net(torch.rand(1, 3, 64, 72))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(), 'give one of them'),
        (dict(architecture='Dinov2Model'), "no network 'Dinov2Model' for this task"),
        (dict(architecture='Dinov2Backbone', out_indices=[99]), 'Dinov2Backbone cannot be built from its config'),
    ],
)
def test_mistakes(options, message):
    with pytest.raises(SR4IRError, match=message):
        HFBackbone(**options)
