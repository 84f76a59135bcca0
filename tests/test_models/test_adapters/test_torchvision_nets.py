import pytest
import torch
import torch.nn.functional as F
from helpers.zoo import batch_for, changed, state
from mmengine.registry import METRICS, VISUALIZERS, init_default_scope
from mmengine.structures import PixelData
from mmpretrain.structures import DataSample
from torch import nn
from torchvision.models import resnet18

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR, FeatureRecorder, frozen
from sr4ir_mm.registry import MODELS

IMAGENET = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
SEG = dict(
    type='sr4ir_mm.TorchvisionSegmentor', name='deeplabv3_mobilenet_v3_large', num_classes=21, aux_loss=True,
    data_preprocessor=dict(type='mmseg.SegDataPreProcessor', size=(64, 96), bgr_to_rgb=True, seg_pad_val=255,
                           test_cfg=dict(size_divisor=32), **IMAGENET),
)  # fmt: skip
CLS = dict(
    type='sr4ir_mm.TorchvisionClassifier', name='resnet18', num_classes=10,
    data_preprocessor=dict(type='mmpretrain.ClsDataPreprocessor', to_rgb=True, **IMAGENET),
)  # fmt: skip
ZOOS = dict(mmseg=SEG, mmpretrain=CLS)


def build(cfg: dict, **kwargs) -> nn.Module:
    torch.manual_seed(0)
    return MODELS.build(dict(cfg, **kwargs))


def batch(zoo: str, *sizes: tuple[int, int]) -> dict:
    return batch_for(dict(_scope_=zoo), *(sizes or ((64, 96), (64, 96))))


def still(net: nn.Module) -> None:
    """Without dropout, so that two forward passes are alike."""
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0


# ---- segmentation


@pytest.mark.parametrize('layout', [torch.contiguous_format, torch.channels_last])
def test_segmentation_loss(layout):
    task, data = build(SEG).train().to(memory_format=layout), batch('mmseg')
    still(task)
    data['data_samples'][0].gt_sem_seg.data[:, :40] = 255
    target = torch.cat([sample.gt_sem_seg.data for sample in data['data_samples']])
    data = task.data_preprocessor(data, True)
    losses = task(**data, mode='loss')
    out = task.net(data['inputs'])
    parts = [F.cross_entropy(out[name], target, ignore_index=255) for name in ('out', 'aux')]
    torch.testing.assert_close(losses['decode.loss_ce'], parts[0])
    torch.testing.assert_close(losses['aux.loss_ce'], parts[1] / 2)
    torch.testing.assert_close(task.parse_losses(losses)[0], parts[0] + parts[1] / 2)


def test_image_without_any_labeled_pixel():
    task, data = build(SEG).train(), batch('mmseg')
    for sample in data['data_samples']:
        sample.gt_sem_seg.data[:] = 255
    loss, _ = task.parse_losses(task(**task.data_preprocessor(data, True), mode='loss'))
    loss.backward()
    assert loss == 0 and all(p.grad.isfinite().all() for p in task.parameters() if p.grad is not None)


@torch.no_grad()
def test_segmentation_without_padding_and_at_the_size_asked_for():
    init_default_scope('mmseg')
    task, data = build(SEG).eval(), batch('mmseg', (50, 70))
    (sample,) = data['data_samples']
    sample.set_metainfo(dict(ori_shape=(100, 140)))
    sample.gt_sem_seg = PixelData(data=torch.zeros(1, 100, 140, dtype=torch.long))
    prepared = task.data_preprocessor(data, False)
    assert prepared['inputs'].shape[-2:] == (64, 96)
    logits = task(prepared['inputs'])['out'][..., :50, :70]
    expected = F.interpolate(logits, size=(100, 140), mode='bilinear')[0]
    (found,) = task(**prepared, mode='predict')
    torch.testing.assert_close(found.seg_logits.data, expected)
    assert torch.equal(found.pred_sem_seg.data[0], expected.argmax(0))
    metric = METRICS.build(dict(type='mmseg.IoUMetric', iou_metrics=['mIoU']))
    metric.dataset_meta = dict(classes=[str(i) for i in range(21)])
    metric.process({}, [found.to_dict()])
    assert metric.evaluate(1)['aAcc'] == pytest.approx((expected.argmax(0) == 0).float().mean().item() * 100, abs=0.01)
    visualizer = VISUALIZERS.build(dict(type='mmseg.SegLocalVisualizer', name='seg', save_dir=None))
    visualizer.dataset_meta = dict(classes=metric.dataset_meta['classes'], palette=[[i, i, i] for i in range(21)])
    visualizer.add_datasample('x', torch.zeros(100, 140, 3).byte().numpy(), found)


def test_features_of_the_last_stage_without_the_heads():
    task = build(SEG).eval()
    task.net.classifier.register_forward_pre_hook(lambda *_: pytest.fail('the head ran'))
    task.net.aux_classifier.register_forward_pre_hook(lambda *_: pytest.fail('the head ran'))
    x = torch.rand(1, 3, 64, 96)
    (feature,) = FeatureRecorder(task, ['net.backbone[out]'])(x).values()
    assert feature.shape == (1, 960, 4, 6) and torch.equal(feature, task.extract_feat(x)[-1])


def test_other_segmentation_nets():
    task = build(SEG, name='lraspp_mobilenet_v3_large', aux_loss=None).train()
    assert [*task(**task.data_preprocessor(batch('mmseg'), True), mode='loss')] == ['decode.loss_ce']


# ---- classification


def test_classification():
    init_default_scope('mmpretrain')
    task, data = build(CLS).train(), batch('mmpretrain')
    prepared = task.data_preprocessor(data, True)
    logits = task(prepared['inputs'])
    labels = torch.cat([sample.gt_label for sample in prepared['data_samples']])
    torch.testing.assert_close(task(**prepared, mode='loss')['loss'], F.cross_entropy(logits, labels))
    samples = task(**prepared, mode='predict')
    torch.testing.assert_close(torch.stack([s.pred_score for s in samples]), logits.softmax(1))
    assert torch.equal(torch.cat([s.pred_label for s in samples]), logits.argmax(1))
    metric = METRICS.build(dict(type='mmpretrain.Accuracy'))
    metric.process({}, [sample.to_dict() for sample in samples])
    assert metric.evaluate(2)['accuracy/top1'] == (logits.argmax(1) == labels).float().mean() * 100
    visualizer = VISUALIZERS.build(dict(type='mmpretrain.UniversalVisualizer', name='cls', save_dir=None))
    visualizer.dataset_meta = dict(classes=[str(i) for i in range(10)])
    visualizer.visualize_cls(torch.zeros(64, 96, 3).byte().numpy(), samples[0].cpu())
    assert isinstance(task(prepared['inputs'], mode='predict')[0], DataSample)  # no ground truth


def test_features_of_a_classifier():
    task, x = build(CLS).eval(), torch.rand(2, 3, 64, 64)
    layer4 = FeatureRecorder(task, ['net.layer4'])(x)['net.layer4']
    assert layer4.shape == (2, 512, 2, 2)
    torch.testing.assert_close(task.extract_feat(x), (layer4.mean((2, 3)),))


def test_classifier_starts_from_imagenet_with_a_new_last_layer(tmp_path):
    net = resnet18(num_classes=1000)
    torch.save(net.state_dict(), tmp_path / 'net.pth')
    start = dict(type='Pretrained', checkpoint=str(tmp_path / 'net.pth'))
    task = build(CLS, backbone_init_cfg=start)
    before = state(task.net)
    task.init_weights()
    ours, theirs = task.net.state_dict(), net.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items() if not name.startswith('fc.'))
    assert not {'fc.weight', 'fc.bias'} & changed(task.net, before)
    nn.init.zeros_(task.net.conv1.weight)
    task.init_weights()  # as MMEngine's: once only
    assert not task.net.conv1.weight.any()


def test_own_checkpoint_comes_after_the_backbone(tmp_path):
    trained, net = build(CLS), resnet18(num_classes=1000)
    nn.init.constant_(trained.net.fc.weight, 2)
    torch.save({f'task.{name}': value for name, value in trained.state_dict().items()}, tmp_path / 'task.pth')
    torch.save(net.state_dict(), tmp_path / 'net.pth')
    task = build(
        CLS,
        backbone_init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'net.pth')),
        init_cfg=dict(type='Pretrained', prefix='task.', checkpoint=str(tmp_path / 'task.pth')),
    )
    task.init_weights()
    assert all(torch.equal(value, trained.state_dict()[name]) for name, value in task.state_dict().items())


def test_segmentor_starts_from_imagenet(tmp_path):
    source = build(dict(CLS, name='mobilenet_v3_large')).net
    task = build(
        SEG, backbone_init_cfg=dict(type='Pretrained', prefix='features.', checkpoint=str(tmp_path / 'net.pth'))
    )
    before = state(task.net)
    torch.save({k: v + 1 for k, v in source.state_dict().items()}, tmp_path / 'net.pth')
    task.init_weights()
    assert {name for name in before if name.startswith('backbone.')} == changed(task.net, before)
    assert torch.equal(task.net.backbone['0'][0].weight, source.features[0][0].weight + 1)


# ---- both


@pytest.mark.parametrize('zoo', ZOOS)
def test_loss_in_eval_mode_uses_running_statistics(zoo):
    """Scheme T->S learns S through a frozen T."""
    task = build(ZOOS[zoo]).train()
    data = task.data_preprocessor(batch(zoo), True)
    before = state(task)
    with frozen(task):
        first, again = (task.parse_losses(task(**data, mode='loss'))[0] for _ in range(2))
        single = dict(inputs=data['inputs'][:1], data_samples=data['data_samples'][:1])
        task(**single, mode='loss')  # BatchNorm of 1 x 1 pixels would refuse one image
    assert first == again and not changed(task, before)


@pytest.mark.parametrize('zoo', ZOOS)
def test_on_hr_images_the_loss_is_that_of_the_bare_net(zoo):
    task, data = build(ZOOS[zoo]).eval(), batch(zoo)
    expected, _ = task.parse_losses(task(**task.data_preprocessor(batch(zoo), True), mode='loss'))
    model = SR4IR(None, task, scale=4, scheme='H->T').eval()
    images = model.data_preprocessor(data, True)
    loss, _ = task.parse_losses(model(images['inputs'], images['data_samples'], mode='loss'))
    assert torch.equal(loss, expected)


@pytest.mark.parametrize('cfg', [SEG, CLS], ids=['segmentation', 'classification'])
def test_unknown_name(cfg):
    with pytest.raises(SR4IRError, match=r"unknown network 'resnet19'; torchvision has .*"):
        build(cfg, name='resnet19')
    with pytest.raises(RuntimeError, match='loss, predict or tensor'):
        build(cfg)(torch.rand(1, 3, 64, 64), mode='train')
