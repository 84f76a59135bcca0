import copy

import pytest
from zoo_models import (
    ZooModel,
    config_names,
    distinct_models,
    load_untrained,
    model_key,
    read_models,
    save_models,
    smallest_first,
)

from sr4ir_mm.config.zoo import without_weights

RETINA = 'mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'


def test_every_config_is_found_except_parts_of_others():
    names = config_names('mmdet')
    assert RETINA in names and 'mmdet::rtmdet/classification/cspnext-s_8xb256-rsb-a1-600e_in1k.py' in names
    assert not any('_base_' in name for name in names)
    assert len(names) == len(set(names)) > 800


def test_weights_are_left_out_and_the_rest_is_kept():
    model = dict(
        pretrained='open-mmlab://resnet50',
        backbone=dict(depth=50, pretrained=True, init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50')),
        head=dict(init_cfg=[dict(type='mmengine.PretrainedInit', checkpoint='x.pth')]),
        neck=[dict(init_cfg=dict(type='Xavier', layer='Conv2d'))],
    )
    assert without_weights(model) == dict(
        pretrained=None,
        backbone=dict(depth=50, pretrained=False),
        head={},
        neck=[dict(init_cfg=dict(type='Xavier', layer='Conv2d'))],
    )


def test_the_preprocessor_of_a_classifier_is_part_of_its_model():
    model = load_untrained('mmpretrain::resnet/resnet18_8xb32_in1k.py').model
    assert model.data_preprocessor.mean == [123.675, 116.28, 103.53]


@pytest.mark.parametrize(
    'change, same',
    [
        ({'num_classes': 3}, True),
        ({'init_cfg': dict(type='Pretrained', checkpoint='x')}, True),
        ({'type': 'mmdet.RetinaHead'}, True),
        ({'img_size': 384}, True),
        ({'depth': 101}, False),
        ({'type': 'mmdet.FCOSHead'}, False),
    ],
)
def test_the_key_is_of_the_structure(change, same):
    model = dict(type='RetinaNet', head=dict(type='RetinaHead', num_classes=80, depth=50, img_size=224))
    other = copy.deepcopy(model)
    other['head'].update(change)
    assert (model_key(model) == model_key(other)) is same


def test_configs_of_the_same_model_are_one_and_broken_ones_stand_alone():
    names = [
        'mmdet::retinanet/retinanet_r50_fpn_2x_coco.py',
        RETINA,
        'mmdet::retinanet/retinanet_r101_fpn_1x_coco.py',
        'mmdet::common/ms-90k_coco.py',
        'mmpretrain::replknet/replknet-31B_32xb64_in1k.py',
    ]
    r50, r101, no_model, broken = distinct_models(names)
    assert sorted(r50.configs) == sorted(names[:2]) and r50.problem == ''
    assert (r50.zoo, r50.family) == ('mmdet', 'retinanet')
    assert r101.configs == names[2:3]
    assert no_model.problem == 'the config has no model'
    assert broken.problem.startswith('the config cannot be loaded: SR4IRError')


def test_every_family_has_its_turn_and_small_nets_come_first(tmp_path):
    models = [
        ZooModel(name, [f'mmdet::{name}.py'])
        for name in ('detr/detr_r101', 'fcos/fcos_r50', 'detr/detr_r18', 'fcos/fcos_r101', 'swin/swin-l')
    ]
    order = ['detr/detr_r18', 'fcos/fcos_r50', 'swin/swin-l', 'detr/detr_r101', 'fcos/fcos_r101']
    assert [model.key for model in smallest_first(models)] == order
    save_models(models, tmp_path / 'new' / 'models.json')
    assert read_models(tmp_path / 'new' / 'models.json') == models
