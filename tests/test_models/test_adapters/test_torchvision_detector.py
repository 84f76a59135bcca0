import pytest
import torch
from helpers.toy import EDSR
from helpers.zoo import batch_for, changed, state, watch_grads, wrappers_for
from mmengine.registry import METRICS, VISUALIZERS, init_default_scope
from mmengine.structures import InstanceData
from torch import nn
from torchvision.models import mobilenet_v3_large
from torchvision.ops import FrozenBatchNorm2d

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR, FeatureRecorder, frozen
from sr4ir_mm.registry import MODELS

CONFIG = dict(
    type='sr4ir_mm.TorchvisionDetector', name='fasterrcnn_mobilenet_v3_large_fpn', num_classes=10, frozen_layers=7,
    min_size=64, max_size=96, box_score_thresh=0.0, box_detections_per_img=5,
    data_preprocessor=dict(type='sr4ir_mm.PaddedDetDataPreprocessor', mean=[0.0] * 3, std=[255.0] * 3,
                           bgr_to_rgb=True, pad_size_divisor=4),
)  # fmt: skip
SIZES = (50, 62), (41, 80)


def build(**kwargs) -> nn.Module:
    torch.manual_seed(0)
    return MODELS.build(dict(CONFIG, **kwargs))


def batch(task: nn.Module, *sizes: tuple[int, int], training: bool = True) -> dict:
    return task.data_preprocessor(batch_for(dict(_scope_='mmdet'), *(sizes or SIZES)), training)


def loss(task: nn.Module, data: dict) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)  # proposals are chosen at random
    return task(**data, mode='loss')


def boxes(sample, *coordinates: list[float]) -> None:
    found = torch.tensor(coordinates).reshape(-1, 4)
    sample.gt_instances = InstanceData(bboxes=found, labels=torch.zeros(len(found), dtype=torch.long))


def test_losses_are_those_of_torchvision_on_the_images_without_padding():
    task = build().train()
    data = batch(task)
    assert data['inputs'].shape == (2, 3, 52, 80)
    losses = loss(task, data)
    images = [image[:, :h, :w] for image, (h, w) in zip(data['inputs'], SIZES)]
    assert all(image.min() >= 0 and 0.5 < image.max() <= 1 for image in images)
    instances = [sample.gt_instances for sample in data['data_samples']]
    targets = [dict(boxes=i.bboxes, labels=i.labels + 1) for i in instances]
    torch.manual_seed(1)
    expected = task.net(images, targets)
    assert losses.keys() == expected.keys() and len(losses) == 4
    assert all(torch.equal(losses[name], expected[name]) for name in losses)


@pytest.mark.parametrize('frozen_layers', [7, None], ids=['FrozenBatchNorm', 'BatchNorm'])
def test_losses_in_eval_mode(frozen_layers):
    """Scheme T->S learns S through a frozen T: with gradient, with running statistics, and nothing in T changes."""
    task = build(frozen_layers=frozen_layers).train()
    data, before = batch(task), state(task)
    data['inputs'].requires_grad_()
    with frozen(task):
        losses, again = loss(task, data), loss(task, data)
        assert not any(module.training for module in task.modules())
    assert not changed(task, before) and all(module.training for module in task.modules())
    assert losses.keys() == again.keys() and all(torch.equal(losses[name], again[name]) for name in losses)
    sum(losses.values()).backward()
    assert data['inputs'].grad.abs().sum() > 0
    if frozen_layers:  # then the mode makes no difference
        in_training = loss(task, data)
        assert all(torch.equal(losses[name], in_training[name]) for name in losses)
    else:
        assert changed(task, before) == set() and loss(task, data) and changed(task, before)


@torch.no_grad()
def test_predictions():
    init_default_scope('mmdet')
    task = build().train()  # the mode must not matter
    data = batch(task, training=False)
    samples = [sample.clone() for sample in data['data_samples']]
    data['data_samples'][1].set_metainfo(dict(scale_factor=(2.0, 0.5)))
    predictions = [sample.pred_instances for sample in task(**data, mode='predict')]
    raw = task(data['inputs'], samples, mode='tensor')
    for found, expected, scale in zip(predictions, raw, ([1, 1, 1, 1], [2, 0.5, 2, 0.5])):
        assert len(found) == 5
        torch.testing.assert_close(found.bboxes * torch.tensor(scale), expected['boxes'])
        assert torch.equal(found.labels + 1, expected['labels']) and found.labels.min() >= 0
        assert torch.equal(found.scores, expected['scores'])
    for sample in data['data_samples']:
        sample.ignored_instances = sample.gt_instances[:0]
    metric = METRICS.build(dict(type='mmdet.VOCMetric'))
    metric.dataset_meta = dict(classes=[str(i) for i in range(10)])
    metric.process({}, [sample.to_dict() for sample in data['data_samples']])
    assert metric.evaluate(2).keys() == {'pascal_voc/mAP', 'pascal_voc/AP50'}
    visualizer = VISUALIZERS.build(dict(type='mmdet.DetLocalVisualizer', name='det', save_dir=None))
    visualizer.dataset_meta = dict(metric.dataset_meta, palette=[(0, 0, 0)] * 10)
    visualizer.add_datasample('x', torch.zeros(*SIZES[0], 3).byte().numpy(), data['data_samples'][0])


@torch.no_grad()
def test_padding_is_not_seen():
    task = build().eval()
    data = batch(task, training=False)
    expected = [sample.pred_instances for sample in task(**data, mode='predict')]
    for image, (height, width) in zip(data['inputs'], SIZES):
        image[:, height:], image[:, :, width:] = 0.5, 0.5
    for sample, instances in zip(task(**data, mode='predict'), expected):
        assert torch.equal(sample.pred_instances.bboxes, instances.bboxes)
        assert torch.equal(sample.pred_instances.scores, instances.scores)


@pytest.mark.parametrize('score', [0.05, 1.1], ids=['with proposals', 'RPN proposes nothing'])
def test_images_without_boxes(score):
    task = build(rpn_score_thresh=score).train()
    data = batch(task)
    for sample in data['data_samples']:
        boxes(sample)
    losses = loss(task, data)
    sum(losses.values()).backward()
    assert all(value.isfinite() for value in losses.values()) and losses['loss_objectness'] > 0
    assert all(p.grad.isfinite().all() for p in task.parameters() if p.grad is not None)


def test_boxes_without_area_do_not_count():
    task = build().train()
    data = batch(task)
    first, second = data['data_samples']
    boxes(first, [4, 4, 30, 30], [9, 9, 10, 10])  # one pixel is an area
    boxes(second)
    expected = loss(task, data)
    boxes(first, [4, 4, 30, 30], [7, 7, 7, 30], [9, 9, 10, 10])
    boxes(second, [5, 5, 40, 5])
    losses = loss(task, data)
    assert all(torch.equal(losses[name], expected[name]) for name in losses)


def test_a_nan_is_not_hidden():
    task = build().train()
    data = batch(task)
    data['inputs'][:] = float('nan')
    assert any(not value.isfinite() for value in loss(task, data).values())


def test_frozen_layers_are_those_of_torchvision(tmp_path):
    """Where it starts from ImageNet weights: 70 of 100 tensors learn, and no BatchNorm does (protocol, section 3)."""
    source = mobilenet_v3_large()
    for module in source.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean)
    torch.save(source.state_dict(), tmp_path / 'net.pth')
    start = dict(type='Pretrained', prefix='features.', checkpoint=str(tmp_path / 'net.pth'))
    task = build(backbone_init_cfg=start)
    before = state(task.net)
    task.init_weights()
    assert (sum(1 for _ in task.parameters()), sum(p.requires_grad for p in task.parameters())) == (100, 70)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in task.modules())
    assert {m.eps for m in task.modules() if isinstance(m, FrozenBatchNorm2d)} == {1e-5}
    body = task.net.backbone.body
    assert [any(p.requires_grad for p in layer.parameters()) for layer in body.children()] == [False] * 7 + [True] * 10
    assert all(torch.equal(value, source.features.state_dict()[name]) for name, value in body.state_dict().items())
    assert all(name.startswith('backbone.body.') for name in changed(task.net, before))
    assert all(p.requires_grad for p in build(frozen_layers=None).parameters())


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_frozen_norms_compute_what_those_of_torchvision_do(dtype):
    norm = next(m for m in build().modules() if isinstance(m, FrozenBatchNorm2d))
    for buffer in norm.buffers():
        nn.init.uniform_(buffer)
    outputs = []
    for forward in (norm.forward, lambda x: FrozenBatchNorm2d.forward(norm, x)):
        torch.manual_seed(0)
        features = torch.rand(2, norm.weight.numel(), 5, 7, dtype=dtype).requires_grad_()
        output = forward(features)
        output.square().sum().backward()
        outputs.append((output, features.grad))
    assert all(map(torch.equal, *outputs)) and outputs[0][0].dtype == outputs[1][0].dtype


def test_features_of_fpn_without_the_heads():
    task = build().eval()
    task.net.rpn.register_forward_pre_hook(lambda *_: pytest.fail('RPN ran'))
    data = batch(task)
    names = ['net.backbone[0]', 'net.backbone[1]']
    feats = FeatureRecorder(task, names)(data['inputs'], data['data_samples'])
    assert [feats[name].shape for name in names] == [(2, 256, 2, 3)] * 2  # 64 x 96 at stride 32
    extracted = task.extract_feat(data['inputs'], data['data_samples'])
    assert len(extracted) == 3 and all(torch.equal(feats[name], f) for name, f in zip(names, extracted))


@pytest.mark.parametrize('scheme', ['T->S', 'SR4IR'])
def test_training(scheme):
    torch.manual_seed(0)
    tdp = dict(layers={'net.backbone[0]': 0.5, 'net.backbone[1]': 0.5})
    model = SR4IR(dict(EDSR), build(), scale=4, scheme=scheme, tdp=tdp).train()
    wrappers, before = wrappers_for(model), state(model)
    grads = watch_grads(wrappers['sr'].optimizer, model.sr)
    logs = model.train_step(batch_for(dict(_scope_='mmdet'), *SIZES), wrappers)
    assert all(value.isfinite() for value in logs.values()) and all(grad.abs().sum() > 0 for grad in grads.values())
    moved = changed(model, before)
    assert {name for name in moved if name.startswith('sr.')}
    learn = {f'task.{name}' for name, p in model.task.named_parameters() if p.requires_grad}
    assert {name for name in moved if name.startswith('task.')} <= (learn if scheme == 'SR4IR' else set())
    assert ('task.net.rpn.head.cls_logits.bias' in moved) == (scheme == 'SR4IR')


@pytest.mark.parametrize('name', ['retinanet_resnet50_fpn', 'fcos_resnet50_fpn', 'ssdlite320_mobilenet_v3_large'])
def test_other_detectors(name):
    options = {} if name.startswith('ssd') else dict(min_size=64, max_size=96)
    cfg = dict(type=CONFIG['type'], name=name, num_classes=10, data_preprocessor=CONFIG['data_preprocessor'], **options)
    task = MODELS.build(cfg).train()
    data = batch(task)
    total, logs = task.parse_losses(loss(task, data))
    assert total.isfinite() and len(logs) >= 3 and all(name.startswith('loss') for name in logs)
    with torch.no_grad():
        assert all('pred_instances' in sample for sample in task(**data, mode='predict'))


def test_unknown_name():
    with pytest.raises(SR4IRError, match=r"TorchvisionDetector: unknown network 'yolo'; .*fasterrcnn_resnet50_fpn"):
        build(name='yolo')
