"""Models without a runner."""

import pytest
import torch
from helpers.toy import EDSR
from mmengine.config import Config

from sr4ir_mm.config import build_model, build_task
from sr4ir_mm.errors import SR4IRError


def classifier(**entries) -> Config:
    task = dict(type='mmpretrain.ImageClassifier', backbone=dict(type='mmpretrain.ResNet', depth=18))
    model = dict(type='sr4ir_mm.SR4IR', sr=dict(EDSR), task=task, scale=4, tdp=dict(layers={'backbone': 1.0}))
    return Config(dict(model=model, default_scope='mmpretrain', **entries))


def test_the_preprocessor_next_to_the_model_becomes_ts():
    preprocessor = dict(type='mmpretrain.ClsDataPreprocessor', mean=[1.0, 2.0, 3.0], std=[1.0] * 3, to_rgb=True)
    cfg = classifier(data_preprocessor=preprocessor)
    assert build_model(cfg).task.data_preprocessor.mean.flatten().tolist() == [1, 2, 3]
    assert 'data_preprocessor' not in cfg.model


def test_another_model():
    with pytest.raises(SR4IRError, match=r'is ResNet, not SR4IR\. Name a config of SR4IR'):
        build_model(Config(dict(model=dict(type='mmpretrain.ResNet', depth=18))))
    with pytest.raises(SR4IRError, match='has no model'):
        build_model(Config(dict(a=1)))


def test_weights_of_a_checkpoint(tmp_path):
    cfg, path = classifier(), tmp_path / 'a.pth'
    state = build_model(cfg).state_dict()
    torch.save(dict(state_dict=state, meta={}), path)
    loaded = build_model(cfg, str(path)).state_dict()
    assert loaded.keys() == state.keys() and all(torch.equal(loaded[key], value) for key, value in state.items())
    torch.save(dict(state_dict={f'module.{key}': value for key, value in state.items()}), path)  # wrapped for DDP
    assert torch.equal(build_model(cfg, str(path)).sr.conv_last.weight, state['sr.conv_last.weight'])
    del state['sr.conv_last.weight']
    state['sr.more'] = torch.ones(1)
    torch.save(dict(state_dict=state), path)
    with pytest.raises(
        SR4IRError, match=r"a\.pth' does not fit the config: it lacks sr\.conv_last\.weight; it also has sr\.more"
    ):
        build_model(cfg, str(path))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(SR4IRError, match=r"a\.pth' is not a file of weights, or it is damaged"):
        build_model(cfg, str(path))
    with pytest.raises(SR4IRError, match=r"Checkpoint 'no\.pth' not found"):
        build_model(cfg, 'no.pth')


def test_the_task_network_alone():
    cfg = classifier()
    cfg.model.task.backbone.init_cfg = dict(type='Pretrained', checkpoint='no/such/file')
    assert not build_task(cfg).training
    bare = Config(dict(cfg.model.task, _scope_='mmpretrain'))
    assert type(build_task(Config(dict(model=bare._cfg_dict)))).__name__ == 'ImageClassifier'
    cfg.model.task = None  # scheme 'S'
    with pytest.raises(SR4IRError, match='no task network'):
        build_task(cfg)
