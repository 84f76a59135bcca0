"""Classifiers of transformers: what they compute is what transformers computes."""

import copy
import json

import pytest
import timm
import torch
import torch.nn.functional as F
import transformers
from helpers.hf import CLASSIFIERS, batch, build, cases, train, write
from mmengine.registry import METRICS, init_default_scope
from safetensors.torch import save_file
from torch import nn

from sr4ir_mm.config import load_config
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import HFClassifier
from sr4ir_mm.models.adapters.hf_patches import patch_of

FIRST = 'ViTForImageClassification'


def made(name: str = FIRST, **options) -> nn.Module:
    return build('HFClassifier', **(dict(architecture=name, config=CLASSIFIERS[name]) | options))


@pytest.mark.parametrize('name', cases(CLASSIFIERS, FIRST))
def test_loss_gradients_and_scores_are_those_of_transformers(name):
    task = made(name).train()
    bare = copy.deepcopy(task.net)
    data = batch(task, 'mmpretrain')
    labels = torch.cat([sample.gt_label for sample in data['data_samples']])
    torch.manual_seed(1)
    loss = task(**data, mode='loss')['loss']
    torch.manual_seed(1)
    expected = bare(pixel_values=data['inputs'], labels=labels).loss
    assert torch.equal(loss, expected)
    loss.backward(), expected.backward()
    for mine, theirs in zip(task.net.parameters(), bare.parameters()):
        assert mine.grad is theirs.grad is None or torch.equal(mine.grad, theirs.grad)
    task.eval(), bare.eval()
    with torch.no_grad():
        samples, logits = task(**data, mode='predict'), bare(pixel_values=data['inputs']).logits
    assert all(torch.equal(sample.pred_score, row.softmax(0)) for sample, row in zip(samples, logits))
    assert [sample.pred_label.item() for sample in samples] == logits.argmax(1).tolist()


@pytest.mark.parametrize('name', cases(CLASSIFIERS, FIRST))
def test_training(name):
    _, logs, _ = train(made(name), 'mmpretrain')
    assert all(value.isfinite() for value in logs.values()) and logs['sr.loss_tdp'] > 0


def test_metric_of_mmpretrain():
    init_default_scope('mmpretrain')
    task = made().eval()
    data = batch(task, 'mmpretrain', training=False)
    with torch.no_grad():
        samples = task(**data, mode='predict')
    metric = METRICS.build(dict(type='mmpretrain.Accuracy', topk=(1, 5)))
    metric.process({}, [sample.to_dict() for sample in samples])
    assert metric.evaluate(2)['accuracy/top5'] == 100


def test_mixed_images():
    """transformers would take shares for several labels an image, without a word."""
    task = made().train()
    data = batch(task, 'mmpretrain')
    shares = torch.tensor([[0.7, 0.3, 0, 0, 0], [0, 0, 0, 1.0, 0]])
    for sample, share in zip(data['data_samples'], shares):
        sample.set_gt_score(share)
    loss = task(**data, mode='loss')['loss']
    assert torch.equal(loss, F.cross_entropy(task.net(data['inputs']).logits, shares))


def test_several_labels_an_image():
    task = made(config=dict(CLASSIFIERS[FIRST], problem_type='multi_label_classification')).train()
    data = batch(task, 'mmpretrain')
    for sample, labels in zip(data['data_samples'], ([0, 3], [])):
        sample.set_gt_label(torch.tensor(labels, dtype=torch.long))
    target = torch.tensor([[1.0, 0, 0, 1, 0], [0] * 5])
    logits = task.net(data['inputs']).logits
    assert torch.equal(task(**data, mode='loss')['loss'], F.binary_cross_entropy_with_logits(logits, target))
    with torch.no_grad():
        assert torch.equal(task.eval()(**data, mode='predict')[0].pred_score, logits[0].sigmoid())


@pytest.mark.parametrize('labels', [[0, 3], []])
def test_labels_that_the_network_does_not_learn(labels):
    task = made().train()
    data = batch(task, 'mmpretrain')
    data['data_samples'][1].set_gt_label(torch.tensor(labels, dtype=torch.long))
    with pytest.raises(SR4IRError, match=rf"has {len(labels)} labels, .*problem_type='multi_label_classification'"):
        task(**data, mode='loss')


def test_a_network_that_learns_numbers():
    with pytest.raises(SR4IRError, match=r"problem_type='regression' .*: set model.* 'single_label_classification' or"):
        made(config=dict(CLASSIFIERS[FIRST], problem_type='regression'))


def test_positions_are_resized_for_images_of_another_size():
    task = made().eval()
    assert task.net.config.image_size == 64
    assert task(torch.rand(1, 3, 96, 80), mode='tensor').logits.shape == (1, 5)


@pytest.mark.parametrize('name', ['CLIPForImageClassification', 'SiglipForImageClassification'])
def test_patches_of_image_encoders(name):
    vision = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, image_size=64)
    task = made(architecture=name, config=dict(vision_config=dict(vision, patch_size=32))).eval()
    assert task.data_preprocessor.pad_size_divisor == 32
    data = batch(task, 'mmpretrain', (70, 70), training=False)
    assert data['inputs'].shape[-1] == 96 and task(**data, mode='tensor').logits.shape == (1, 5)


def test_patches_of_two_sides():
    sizes = dict(depths=[1] * 4, num_heads=[1, 1, 2, 2], image_size=[64, 64], embed_dim=8)
    task = made(architecture='HieraForImageClassification', config=sizes)
    assert task.data_preprocessor.pad_size_divisor == 32  # units of 8 x 8 patches, 4 px apart
    assert patch_of(transformers.VitPoseBackboneConfig(patch_size=[16, 8])) == 16


def test_a_folder_of_timm(tmp_path):
    """As on the hub: without preprocessor_config.json, and with timm's names of the weights."""
    net = timm.create_model('resnet10t', num_classes=5)
    save_file(net.state_dict(), tmp_path / 'model.safetensors', metadata=dict(format='pt'))
    found = dict(mean=[0.4, 0.45, 0.5], std=[0.2, 0.25, 0.3], input_size=[3, 64, 64], crop_pct=0.95, num_classes=5)
    (tmp_path / 'config.json').write_text(json.dumps(
        dict(architecture='resnet10t', num_classes=5, pretrained_cfg=dict(found, interpolation='bicubic'))
    ))  # fmt: skip
    task = HFClassifier(pretrained=str(tmp_path)).eval()
    task.init_weights()
    preprocessor = task.data_preprocessor
    assert preprocessor.to_rgb and preprocessor.mean.flatten().tolist() == pytest.approx([102, 114.75, 127.5])
    assert preprocessor.std.flatten().tolist() == pytest.approx([51, 63.75, 76.5])
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(task(image, mode='tensor').logits, net.eval()(image))


def test_images_that_are_rgb_already(tmp_path):
    """mmpretrain's steps for PIL leave them in RGB; the channel order of the network stays RGB."""
    write(tmp_path / 'vit', FIRST, CLASSIFIERS[FIRST])
    steps = "dict(type='LoadImageFromFile'), dict(type='NumpyToPIL', to_rgb=True), dict(type='PILToNumpy')"
    (tmp_path / 'mine.py').write_text(f"""
default_scope = 'mmpretrain'
task = dict(type='sr4ir_mm.HFClassifier', pretrained={str(tmp_path / 'vit')!r})
model = dict(type='sr4ir_mm.SR4IR', scale=4, scheme='H->T', sr=None, task=task)
train_dataloader = dict(dataset=dict(pipeline=[{steps}, dict(type='PackInputs')]))
""")
    model = load_config(tmp_path / 'mine.py').model
    assert model.channel_order == 'rgb' and model.task.data_preprocessor.to_rgb is False


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        ('DeiTForImageClassificationWithTeacher', 'has no loss'),
        ('ImageGPTForImageClassification', 'takes input_ids, .* more, but the task network receives images alone'),
        ('SegformerForSemanticSegmentation', 'no network .* for this task; choose one of'),
    ],
)
def test_networks_that_cannot_be_trained(name, message):
    with pytest.raises(SR4IRError, match=message):
        made(architecture=name, config={})
