"""The numbers of classes in the networks of the zoos; a run of all configs of the zoos finds no other difference."""

import pytest
from helpers.zoo import CONFIGS, net_config
from mmdet.datasets import CocoDataset, CocoPanopticDataset
from mmengine.config import ConfigDict
from mmengine.hub import get_config
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import MODELS
from torch import nn

from sr4ir_mm.config.zoo import without_weights
from sr4ir_mm.engine.heads import predicts_masks, wrong_heads


def classes(number: int) -> dict:
    return dict(classes=('x',) * number)


def build(config, **options) -> nn.Module:
    cfg = get_config(config) if isinstance(config, str) else config
    cfg.merge_from_dict({f'model.{key}': value for key, value in options.items()})
    return revert_sync_batchnorm(MODELS.build(ConfigDict(without_weights(cfg.model), _scope_=config.split('::')[0])))


@pytest.mark.parametrize('name', CONFIGS)
def test_networks_of_the_zoos_fit_their_own_data(name):
    number = dict(deeplabv3=19, segformer=150, resnet18=1000, mobilenetv3=1000).get(name, 80)
    net = MODELS.build(net_config(name))
    assert wrong_heads(net, classes(number)) == {}
    found = wrong_heads(net, classes(7))
    expected = {
        'deeplabv3': {'decode_head.num_classes', 'auxiliary_head.num_classes'},
        'segformer': {'decode_head.num_classes'},
        'faster_rcnn': {'roi_head.bbox_head.num_classes'},  # not rpn_head, which has one class
    }.get(name, {'bbox_head.num_classes'} if number == 80 else {'head.num_classes'})
    assert found == dict.fromkeys(expected, (number, 7))


@pytest.mark.parametrize('config, heads', [
    ('mmdet::cascade_rcnn/cascade-mask-rcnn_r50_fpn_1x_coco.py',
     {f'roi_head.{kind}_head.{i}.num_classes' for kind in ('bbox', 'mask') for i in range(3)}),
    ('mmdet::detr/detr_r50_8xb2-150e_coco.py', {'bbox_head.num_classes'}),
    ('mmdet::yolact/yolact_r50_1xb8-55e_coco.py', {'bbox_head.num_classes', 'mask_head.num_classes'}),
    ('mmdet::rpn/rpn_r50_fpn_1x_coco.py', set()),
])  # fmt: skip
def test_every_head_counts(config, heads):
    net = build(config)
    assert wrong_heads(net, CocoDataset.METAINFO) == {}
    assert heads <= set(wrong_heads(net, classes(3))) and (heads or not wrong_heads(net, classes(3)))


@pytest.mark.parametrize('config', [
    'mmdet::panoptic_fpn/panoptic-fpn_r50_fpn_1x_coco.py',
    'mmdet::maskformer/maskformer_r50_ms-16xb1-75e_coco.py',
])  # fmt: skip
def test_things_and_stuff(config):
    net = build(config)
    assert wrong_heads(net, CocoPanopticDataset.METAINFO) == {}
    meta = dict(classes='abc', thing_classes='ab', stuff_classes='c')
    wrong = wrong_heads(net, meta)
    assert wrong['panoptic_fusion_head.num_things_classes'] == (80, 2)
    assert wrong['panoptic_fusion_head.num_stuff_classes'] == (53, 1)


def test_an_instance_segmenter_of_things_only():
    net = build('mmdet::mask2former/mask2former_r50_8xb2-lsj-50e_coco.py')
    assert wrong_heads(net, CocoDataset.METAINFO) == {}
    assert wrong_heads(net, classes(5))['panoptic_head.num_things_classes'] == (80, 5)


class Head(nn.Module):
    """A part with these attributes."""

    def __init__(self, **attributes) -> None:
        super().__init__()
        vars(self).update(attributes)


@pytest.mark.parametrize('head, number, wrong', [
    (dict(num_classes=2, out_channels=1), 2, False),  # binary segmentation
    (dict(num_classes=1, out_channels=1), 2, False),
    (dict(num_classes=1, out_channels=1), 3, True),
    (dict(num_classes=1, out_channels=2), 2, True),
    (dict(num_classes=-1), 2, False),  # a backbone without a classifier
    (dict(num_classes=None), 2, False),
    (dict(num_classes=1, class_agnostic=True), 2, False),
])  # fmt: skip
def test_conventions(head, number, wrong):
    assert bool(wrong_heads(nn.ModuleDict(dict(head=Head(**head))), classes(number))) == wrong


@pytest.mark.parametrize('onehot', [True, False])
def test_the_preprocessor_counts_only_if_it_makes_one_hot_labels(onehot):
    net = nn.Module()
    net.data_preprocessor, net.head = Head(num_classes=1000, to_onehot=onehot), Head(num_classes=20)
    assert wrong_heads(net, classes(20)) == ({'data_preprocessor.num_classes': (1000, 20)} if onehot else {})


def test_open_vocabulary_networks_take_any_classes():
    net = nn.ModuleDict(dict(head=Head(num_classes=256)))
    net.language_model = nn.Identity()
    assert wrong_heads(net, classes(3)) == {}


def test_a_classifier_in_the_backbone():
    """AlexNet's own is the head; the one that another backbone does not use is no head."""
    backbone = Head(num_classes=1000)
    backbone.net = Head(num_classes=5)
    assert wrong_heads(nn.ModuleDict(dict(backbone=backbone)), classes(7)) == {'backbone.num_classes': (1000, 7)}


@pytest.mark.parametrize('config, masks', [
    ('retinanet/retinanet_r50_fpn_1x_coco.py', False),
    ('faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py', False),
    ('detr/detr_r50_8xb2-150e_coco.py', False),
    ('mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py', True),
    ('solov2/solov2_r50_fpn_1x_coco.py', True),
    ('rtmdet/rtmdet-ins_tiny_8xb32-300e_coco.py', True),
    ('mask2former/mask2former_r50_8xb2-lsj-50e_coco.py', True),
    ('queryinst/queryinst_r50_fpn_1x_coco.py', True),
])  # fmt: skip
def test_which_detectors_predict_masks(config, masks):
    assert predicts_masks(build(f'mmdet::{config}')) == masks
