"""Learning rates that decay from layer to layer of a backbone of any library."""

import copy

import pytest
from helpers.hf import CLASSIFIERS, build
from helpers.toy import ToyClassifier
from mmengine.optim import OptimWrapper
from torch import nn
from torch.nn import TransformerEncoderLayer as TransformerLayer

from sr4ir_mm.engine import SR4IROptimWrapperConstructor, layer_decay
from sr4ir_mm.engine.layer_decay import layers_after
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR
from sr4ir_mm.registry import MODELS

SWIN = dict(embed_dim=8, depths=[2, 1, 2, 1], num_heads=[1, 1, 2, 2], window_size=4)
PVT = dict(hidden_sizes=[8, 8, 16, 16], num_attention_heads=[1, 1, 2, 2], depths=[1, 1, 1, 1], mlp_ratios=[2, 2, 2, 2])
HRNET = {
    f'stage{i}': dict(num_modules=1, num_branches=i, block='BASIC', num_blocks=(4,) * i, num_channels=(8, 8, 8, 8)[:i])
    for i in (1, 2, 3, 4)
}
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


@pytest.mark.parametrize(
    ('backbone', 'count', 'part'),
    [
        (dict(type='mmpretrain.MobileNetV2'), 17, 'layer2.0'),  # convolutions in lists in blocks
        (dict(type='mmpretrain.ResNet', depth=18), 8, 'layer1.0'),  # mmpretrain numbers those of 50 and more layers
        (dict(type='mmpretrain.EdgeNeXt', arch='xxsmall'), 12, 'stages.0.0'),  # two kinds of blocks in a list
        (dict(type='sr4ir_mm.HFBackbone', architecture='PvtV2Backbone', config=PVT), 4, 'layers.0.blocks.0'),
        (dict(type='mmpretrain.HRNet', extra=HRNET), 40, 'layer1.0'),  # None in a list
    ],
    ids=lambda value: value['type'] if isinstance(value, dict) else None,
)
def test_a_layer_is_a_block(backbone, count, part):
    """Not a part of one, and no embedding of patches."""
    found = layers_after(Task(backbone))
    assert max(found.values()) == count + 1
    assert {steps for name, steps in found.items() if f'.{part}.' in name} == {count - (part == 'layer2.0')}


def test_the_log_has_the_lowest_rate(monkeypatch):
    logged = []
    monkeypatch.setattr(layer_decay, 'print_log', lambda message, *args: logged.append(message))
    rates(Task(dict(type='mmpretrain.ResNet', depth=18)))
    assert logged == ['layer_decay_rate=0.5: 9 layers, the lowest learning rate is 0.0002']


def test_mistakes():
    task = ToyClassifier()
    with pytest.raises(SR4IRError, match=r'ToyClassifier\) has no backbone with repeated blocks'):
        rates(copy.deepcopy(task))
    few = copy.deepcopy(task)
    few.backbone = nn.Sequential(nn.Sequential(TransformerLayer(8, 1), TransformerLayer(8, 1)), nn.Linear(300, 400))
    with pytest.raises(SR4IRError, match='has no backbone with repeated blocks'):
        layers_after(few)
    for rate in (1.5, 0, -0.5):
        with pytest.raises(SR4IRError, match=f'layer_decay_rate={rate}'):
            rates(task, layer_decay_rate=rate)
    with pytest.raises(SR4IRError, match=r'needs optimizer\.lr'):
        layer_decay.LayerDecayOptimWrapperConstructor(dict(optimizer=dict(type='SGD')), dict(layer_decay_rate=0.5))
    with pytest.raises(SR4IRError, match=r'needs paramwise_cfg\.layer_decay_rate'):
        rates(task, layer_decay_rate=None)
