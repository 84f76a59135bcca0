"""Models without a runner."""

import pytest
from helpers.toy import EDSR
from mmengine.config import Config

from sr4ir_mm.config.building import build_model
from sr4ir_mm.errors import SR4IRError


def test_the_preprocessor_beside_the_model_becomes_ts():
    task = dict(type='mmpretrain.ImageClassifier', backbone=dict(type='mmpretrain.ResNet', depth=18))
    model = dict(type='sr4ir_mm.SR4IR', sr=dict(EDSR), task=task, scale=4, tdp=dict(layers={'backbone': 1.0}))
    beside = dict(type='mmpretrain.ClsDataPreprocessor', mean=[1.0, 2.0, 3.0], std=[1.0] * 3, to_rgb=True)
    built = build_model(Config(dict(model=model, data_preprocessor=beside, default_scope='mmpretrain')))
    assert built.task.data_preprocessor.mean.flatten().tolist() == [1, 2, 3]


def test_another_model():
    with pytest.raises(SR4IRError, match='is a ResNet, not SR4IR'):
        build_model(Config(dict(model=dict(type='mmpretrain.ResNet', depth=18))))
