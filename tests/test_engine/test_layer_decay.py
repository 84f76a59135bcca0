"""Learning rates that decay from layer to layer of a backbone of any library."""

import copy

import pytest
from helpers.hf import CLASSIFIERS, build
from helpers.toy import ToyClassifier
from mmengine.optim import OptimWrapper
from torch import nn

from sr4ir_mm.engine import SR4IROptimWrapperConstructor
from sr4ir_mm.engine.layer_decay import layers_after
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR
from sr4ir_mm.registry import MODELS

SWIN = dict(embed_dim=8, depths=[2, 1, 2, 1], num_heads=[1, 1, 2, 2], window_size=4)
OWN = {
    'VisionTransformer': dict(arch=dict(embed_dims=16, num_layers=3, num_heads=2, feedforward_channels=16)),
    'SwinTransformer': dict(arch=dict(embed_dims=8, depths=[2, 1, 2, 1], num_heads=[1, 1, 2, 2])),
}


class Task(ToyClassifier):
    """A task network with a backbone and a head."""

    def __init__(self, backbone: dict) -> None:
        super().__init__()
        self.backbone = MODELS.build(backbone)


def rates(task: nn.Module, **options) -> dict[str, float]:
    """Learning rates by the names of the parameters, in a wrapper that SR4IR builds."""
    part = dict(optimizer=dict(type='AdamW', lr=0.1, weight_decay=0.05))
    part.update(
        constructor='sr4ir_mm.LayerDecayOptimWrapperConstructor', paramwise_cfg=dict(layer_decay_rate=0.5) | options
    )
    wrapper = SR4IROptimWrapperConstructor(dict(task=part))(SR4IR(None, task, scale=4, scheme='H->T'))['task']
    assert isinstance(wrapper, OptimWrapper)
    names = {id(value): name for name, value in task.named_parameters()}
    found = {names[id(value)]: group['lr'] for group in wrapper.optimizer.param_groups for value in group['params']}
    assert found.keys() == set(names.values())
    return found


def of(found: dict[str, float], part: str) -> set[float]:
    """The rates of the parameters of a part."""
    return {rate for name, rate in found.items() if f'.{part}.' in name}


@pytest.mark.parametrize('name', OWN)
def test_layers_are_numbered_as_mmpretrain_numbers_its_own(name, monkeypatch):
    task = Task(dict(type=f'mmpretrain.{name}', img_size=64, **OWN[name]))
    expected = layers_after(task)
    assert expected['fc.weight'] == 0 and len(set(expected.values())) > 4
    monkeypatch.delattr(type(task.backbone), 'get_layer_depth')
    assert layers_after(task) == expected


def test_a_backbone_of_transformers():
    config = dict(hidden_size=16, num_hidden_layers=4, num_attention_heads=2, image_size=64, patch_size=16)
    found = rates(Task(dict(type='sr4ir_mm.HFBackbone', architecture='Dinov2Backbone', config=config)))
    assert found['fc.weight'] == found['backbone.net.layernorm.weight'] == 0.1
    for i in range(4):
        assert of(found, f'encoder.layer.{i}') == {0.1 / 2 ** (4 - i)}
    assert of(found, 'embeddings') == {0.1 / 2**5}


def test_stages_of_blocks():
    """A block of a stage is a layer; what makes the map smaller belongs to the block before it."""
    found = rates(Task(dict(type='sr4ir_mm.HFBackbone', architecture='SwinBackbone', config=dict(SWIN, image_size=64))))
    assert of(found, 'layers.0.blocks.0') == {0.1 / 2**6}
    assert of(found, 'layers.0.blocks.1') == of(found, 'layers.0.downsample') == {0.1 / 2**5}
    assert of(found, 'layers.3') == {0.1 / 2} and of(found, 'layernorm') == {0.1}


def test_a_backbone_of_timm():
    found = rates(Task(dict(type='mmpretrain.TIMMBackbone', model_name='resnet10t', features_only=True)))
    assert of(found, 'layer1') == {0.1 / 2**4} and of(found, 'layer4') == {0.1 / 2}
    assert found['fc.weight'] == 0.1


def test_a_classifier_of_transformers_and_the_options_of_mmengine():
    name = 'ViTForImageClassification'
    found = rates(build('HFClassifier', name, CLASSIFIERS[name]), custom_keys=dict(classifier=dict(lr_mult=10.0)))
    assert found['net.classifier.weight'] == 1.0
    assert found['net.vit.layernorm.weight'] == 0.1 and found['net.vit.embeddings.cls_token'] == 0.1 / 2**5


def test_mistakes():
    task = ToyClassifier()
    with pytest.raises(SR4IRError, match=r'ToyClassifier\) has no backbone with repeated blocks'):
        rates(copy.deepcopy(task))
    with pytest.raises(SR4IRError, match='layer_decay_rate'):
        rates(task, layer_decay_rate=1.5)
    with pytest.raises(SR4IRError, match=r'needs paramwise_cfg\.layer_decay_rate'):
        rates(task, layer_decay_rate=None)
