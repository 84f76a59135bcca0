"""The task of a model on the Hugging Face Hub, where it is sure."""

from types import SimpleNamespace

import pytest
from mmengine.config import Config
from torch import nn

from sr4ir_mm.apis.model_card import pipeline_tag


@pytest.mark.parametrize(
    'scope, kind, parts, tag',
    [
        ('mmseg', 'EncoderDecoder', 'decode_head', 'image-segmentation'),
        ('mmseg', 'DepthEstimator', 'decode_head', 'depth-estimation'),
        ('mmdet', 'RetinaNet', 'bbox_head', 'object-detection'),
        ('mmdet', 'mmdet.MaskRCNN', 'mask_head', 'image-segmentation'),
        ('mmpretrain', 'ImageClassifier', 'head', 'image-classification'),
        ('mmpretrain', 'ImageToImageRetriever', 'head', None),
        ('mine', 'MyNet', 'head', None),
    ],
)
def test_the_task_is_named_where_it_is_sure(scope, kind, parts, tag):
    model = SimpleNamespace(scheme=SimpleNamespace(uses_task_net=True), task=nn.ModuleDict({parts: nn.Identity()}))
    assert pipeline_tag(Config(dict(default_scope=scope, model=dict(task=dict(type=kind)))), model) == tag


def test_the_super_resolution_network_alone():
    model = SimpleNamespace(scheme=SimpleNamespace(uses_task_net=False), task=None)
    assert pipeline_tag(Config(dict(default_scope='mmseg', model=dict(task=None))), model) == 'image-to-image'
