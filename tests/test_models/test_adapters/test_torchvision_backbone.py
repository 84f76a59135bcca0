import pytest
import torch
from helpers.zoo import batch_for
from mmengine.config import ConfigDict
from mmengine.model import BaseModel
from mmengine.registry import init_default_scope
from torch import nn
from torchvision.models import mobilenet_v3_small

from sr4ir_mm.models import FeatureRecorder, TorchvisionBackbone, frozen
from sr4ir_mm.registry import MODELS

CONFIG = dict(type='sr4ir_mm.TorchvisionBackbone', name='mobilenet_v3_small', out_nodes=['features.1', 'features.4'])


class Task(BaseModel):
    def __init__(self, **kwargs) -> None:
        super().__init__()
        self.backbone = MODELS.build(dict(CONFIG, **kwargs))

    def forward(self, inputs, data_samples=None, mode='tensor'):
        return self.backbone(inputs)


@pytest.fixture(scope='module')
def official() -> nn.Module:
    torch.manual_seed(1)
    return mobilenet_v3_small(weights=None).eval()


@pytest.fixture
def checkpoint(official, tmp_path) -> dict:
    torch.save(official.state_dict(), tmp_path / 'net.pth')
    return dict(type='Pretrained', checkpoint=str(tmp_path / 'net.pth'))


@torch.no_grad()
def test_features_of_a_torchvision_checkpoint(official, checkpoint):
    task = Task(init_cfg=checkpoint)
    task.init_weights()  # as MMEngine does, from the model down
    x = torch.rand(1, 3, 64, 64)
    expected = official.features[:2](x), official.features[:5](x)
    outputs = task.eval()(x)
    assert [tuple(out.shape) for out in outputs] == [(1, 16, 16, 16), (1, 40, 4, 4)]
    for out, value in zip(outputs, expected):
        torch.testing.assert_close(out, value)
    assert torch.equal(FeatureRecorder(task, ['backbone[0]'])(x)['backbone[0]'], outputs[0])


def test_without_a_checkpoint_the_initial_weights_stay():
    task = Task()
    before = [p.clone() for p in task.parameters()]
    task.init_weights()
    assert before and all(torch.equal(p, q) for p, q in zip(task.parameters(), before))


def test_freezing_and_training():
    task = Task().train()
    x = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        expected = task.eval()(x)[1]
        task.train()
        with frozen(task):
            assert torch.equal(task(x)[1], expected)
        assert not torch.equal(task(x)[1], expected)  # BatchNorm sees the batch
    task(x)[1].sum().backward()
    assert all(p.grad is not None for p in task.parameters())


def test_options_of_the_builder():
    backbone = MODELS.build(
        dict(
            type='sr4ir_mm.TorchvisionBackbone',
            name='resnet18',
            out_nodes=['layer4'],
            num_classes=3,
            zero_init_residual=True,
        )
    )
    assert getattr(backbone.net.layer4, '1').bn2.weight.abs().sum() == 0
    dilated = dict(type='sr4ir_mm.TorchvisionBackbone', name='resnet50', out_nodes=['layer4'])
    dilated['replace_stride_with_dilation'] = [False, True, True]
    assert MODELS.build(dilated)(torch.rand(1, 3, 64, 64))[0].shape == (1, 2048, 8, 8)


@pytest.mark.parametrize('name, nodes, channels', [
    ('squeezenet1_0', ['features.5', 'features.12'], [256, 512]),
    ('mobilenet_v3_large', ['features.6', 'features.12', 'features.16'], [40, 112, 960]),
])  # fmt: skip
def test_under_a_head_of_mmdet(name, nodes, channels):
    init_default_scope('mmdet')
    model = MODELS.build(
        ConfigDict(
            type='mmdet.RetinaNet',
            data_preprocessor=dict(type='mmdet.DetDataPreprocessor', pad_size_divisor=32),
            backbone=dict(type='sr4ir_mm.TorchvisionBackbone', name=name, out_nodes=nodes),
            neck=dict(type='FPN', in_channels=channels, out_channels=16, num_outs=3),
            bbox_head=dict(
                type='RetinaHead', num_classes=10, in_channels=16, feat_channels=16, stacked_convs=1,
                anchor_generator=dict(type='AnchorGenerator', octave_base_scale=4, scales_per_octave=1,
                                      ratios=[1.0], strides=[8, 16, 32]),
            ),
            train_cfg=dict(assigner=dict(type='MaxIoUAssigner', pos_iou_thr=0.5, neg_iou_thr=0.4), allowed_border=-1,
                           pos_weight=-1),
            test_cfg=dict(nms_pre=100, score_thr=0.0, nms=dict(type='nms', iou_threshold=0.5), max_per_img=5),
        )
    )  # fmt: skip
    data = model.data_preprocessor(batch_for(dict(_scope_='mmdet')), True)
    total, _ = model.parse_losses(model(**data, mode='loss'))
    total.backward()
    assert total.isfinite() and any(p.grad is not None for p in model.backbone.parameters())
    with torch.no_grad():
        assert all(len(sample.pred_instances) == 5 for sample in model.eval()(**data, mode='predict'))


def test_frozen_parts_do_not_learn_and_stay_in_eval_mode():
    net = TorchvisionBackbone('resnet18', ['layer4'], frozen=['conv1', 'bn1', 'layer1']).train()
    still = {name.split('.')[1] for name, p in net.named_parameters() if not p.requires_grad}
    assert still == {'conv1', 'bn1', 'layer1'}
    assert {name.split('.')[1] for name, part in net.named_modules() if name.count('.') and not part.training} == still
    before = net.net.bn1.running_mean.clone()
    net(torch.rand(2, 3, 32, 32))[0].sum().backward()
    assert torch.equal(net.net.bn1.running_mean, before)
    assert {name.split('.')[1] for name, p in net.named_parameters() if p.grad is not None} == {
        'layer2',
        'layer3',
        'layer4',
    }
