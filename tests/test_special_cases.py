"""Models, hooks and optimizers of the zoos find in the Runner's model what they need."""

import copy
import warnings
from types import SimpleNamespace

import pytest
import torch
from helpers.toy import EDSR
from helpers.zoo import Logs, bare_net, batch_for, changed, net_config, runner_for, state, wrappers_for
from mmengine.config import ConfigDict
from mmengine.optim import build_optim_wrapper
from mmengine.registry import HOOKS
from mmengine.structures import BaseDataElement
from test_identity import assert_same

from sr4ir_mm.compat.quiet import hide_notes
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR


def mixed(cfg, scheme: str = 'SR4IR') -> SR4IR:
    return SR4IR(EDSR, copy.deepcopy(cfg), scale=4, scheme=scheme, tdp=dict(relative=True))


def stub_runner(model, **kwargs) -> SimpleNamespace:
    return SimpleNamespace(model=model, logger=SimpleNamespace(info=print, warning=print), **kwargs)


# ---- hooks that use runner.model


def test_yolox_mode_switch():
    model = mixed(net_config('yolox', **{'data_preprocessor.batch_augments': None}))
    skipped = []
    loader = SimpleNamespace(dataset=SimpleNamespace(update_skip_type_keys=skipped.extend))
    hook = HOOKS.build(dict(type='mmdet.YOLOXModeSwitchHook', num_last_epochs=5))
    hook.before_train_epoch(stub_runner(model, epoch=295, max_epochs=300, train_dataloader=loader))
    assert model.task.bbox_head.use_l1 and 'Mosaic' in skipped


def test_switch_recipe():
    cfg = net_config('resnet18', dict(to_onehot=True))
    model = mixed(cfg)
    recipe = dict(action_epoch=1, batch_augments=dict(augments=dict(type='Mixup', alpha=0.8)),
                  loss=dict(type='mmpretrain.LabelSmoothLoss', label_smooth_val=0.1))  # fmt: skip
    hook = HOOKS.build(dict(type='mmpretrain.SwitchRecipeHook', schedule=[recipe]))
    hook.before_train_epoch(stub_runner(model, epoch=0))
    assert type(model.task.head.loss_module).__name__ == 'LabelSmoothLoss'
    samples = model.data_preprocessor(batch_for(cfg), True)['data_samples']
    assert all('gt_score' in sample for sample in samples)  # Mixup has run


@pytest.mark.parametrize(('classes', 'fits'), [(80, True), (3, False)])
def test_number_of_classes(classes, fits):
    runner = stub_runner(mixed(net_config('retinanet')))
    runner.train_dataloader = SimpleNamespace(dataset=SimpleNamespace(metainfo=dict(classes=('x',) * classes)))
    hook = HOOKS.build(dict(type='mmdet.NumClassCheckHook'))
    if fits:
        hook.before_train_epoch(runner)
    else:
        with pytest.raises(AssertionError, match='num_classes'):
            hook.before_train_epoch(runner)


def test_ema_and_invalid_loss_hooks_in_a_run(tmp_path):
    cfg = net_config('resnet18')
    batch = batch_for(cfg)
    dataset = [dict(inputs=i, data_samples=s) for i, s in zip(batch['inputs'], batch['data_samples'])]
    model = mixed(cfg)
    before = state(model)
    hooks = [dict(type='sr4ir_mm.AlternatingUpdateHook'), dict(type='EMAHook', momentum=0.5),
             dict(type='mmdet.CheckInvalidLossHook', interval=1)]  # fmt: skip
    runner = runner_for(model, dataset, tmp_path, custom_hooks=hooks, train_cfg=dict(by_epoch=True, max_epochs=2),
                        default_hooks=dict(runtime_info=dict(type='sr4ir_mm.DeferredRuntimeInfoHook')))  # fmt: skip
    runner.register_hook(logs := Logs())
    runner.train()
    for log in logs.items:
        parts = [value for key, value in log.items() if key.startswith('sr.loss') or key.endswith('.loss')]
        assert log['loss'] == pytest.approx(sum(parts))
    saved = torch.load(tmp_path / 'epoch_2.pth', weights_only=False)
    averaged, trained = saved['state_dict'], state(model)
    for name in ('sr.conv_first.weight', 'task.backbone.conv1.weight'):
        assert len({tuple(w[name].flatten().tolist()) for w in (before, trained, averaged)}) == 3


def test_an_attribute_that_the_task_network_lacks_gives_the_usual_error():
    with pytest.raises(AttributeError, match='no attribute'):
        _ = mixed(net_config('resnet18')).teacher


# ---- optimizers


def test_layer_wise_decay_is_that_of_the_bare_net():
    vit = dict(type='ImageClassifier', backbone=dict(type='VisionTransformer', arch='deit-tiny', img_size=32),
               head=dict(type='VisionTransformerClsHead', num_classes=10, in_channels=192))  # fmt: skip
    cfg = ConfigDict(vit, _scope_='mmpretrain', data_preprocessor=dict(num_classes=10))
    wrapper = dict(optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05), paramwise_cfg=dict(layer_decay_rate=0.5),
                   constructor='mmpretrain.LearningRateDecayOptimWrapperConstructor')  # fmt: skip
    model = mixed(cfg)
    ours = build_optim_wrapper(model, dict(constructor='sr4ir_mm.SR4IROptimWrapperConstructor', task=wrapper,
                                           sr=dict(optimizer=dict(type='AdamW', lr=1e-4))))  # fmt: skip
    bare = build_optim_wrapper(bare_net(cfg), wrapper)
    rates = [[group['lr'] for group in w.optimizer.param_groups] for w in (ours['task'], bare)]
    assert rates[0] == rates[1] and len(set(rates[0])) > 10


# ---- models


def test_sliding_window():
    window = {'test_cfg.mode': 'slide', 'test_cfg.crop_size': (48, 48), 'test_cfg.stride': (32, 32)}
    cfg = net_config('segformer', **window)
    bare, model = bare_net(cfg).eval(), mixed(cfg, 'H->T').eval()
    model.task.load_state_dict(bare.state_dict())
    batch = batch_for(cfg, (64, 80))
    assert_same(*(net.test_step(copy.deepcopy(batch)) for net in (model, bare)))
    assert mixed(cfg).eval().test_step(batch)[0].pred_sem_seg.shape == (64, 80)


class ChangesSamples(torch.nn.Module):
    """A wrapper of the task network's loss that changes the labels of its samples."""

    def __init__(self, net):
        super().__init__()
        self.head, self.seen = net.head, []
        self.loss = net.head.loss

    def forward(self, feats, data_samples, **kwargs):
        self.seen.append([int(sample.gt_label) for sample in data_samples])
        losses = self.loss(feats, data_samples, **kwargs)
        for sample in data_samples:
            sample.set_gt_label(0)
        return losses


def test_a_model_that_changes_its_samples_receives_unchanged_ones():
    cfg = net_config('resnet18')
    model, batch = mixed(cfg), batch_for(cfg)
    spy = ChangesSamples(model.task)
    model.task.head.loss = spy.forward
    model.train_step(copy.deepcopy(batch), wrappers_for(model))
    assert spy.seen == [[int(sample.gt_label) for sample in batch['data_samples']]] * 3 and any(spy.seen[0])


def test_a_teacher_that_is_no_submodule_moves_and_is_not_trained():
    student = net_config('retinanet', **{'data_preprocessor.batch_augments': None})
    teacher = dict(model=copy.deepcopy(student))
    model = mixed(dict(student, type='KnowledgeDistillationSingleStageDetector', teacher_config=teacher))
    assert not [name for name, _ in model.named_parameters() if 'teacher' in name]
    assert model.to('meta') is model
    devices = {p.device.type for net in (model, model.task.teacher_model) for p in net.parameters()}
    assert devices == {'meta'}


def test_multi_label():
    from mmpretrain.structures import DataSample

    cfg = net_config('resnet18', **{'head.type': 'MultiLabelLinearClsHead', 'head.num_classes': 10, 'head.topk': None,
                                    'head.loss': dict(type='CrossEntropyLoss', use_sigmoid=True)})  # fmt: skip
    cfg.head.pop('topk')
    batch = batch_for(cfg)
    batch['data_samples'] = [DataSample().set_gt_score(torch.eye(10)[i] + torch.eye(10)[5]) for i in range(2)]
    check_step(mixed(cfg), batch)


def check_step(model: SR4IR, batch: dict) -> dict:
    """Make one training step, which must change both nets."""
    before = {name: state(net) for name, net in (('sr', model.sr), ('task', model.task))}
    log = model.train().train_step(batch, wrappers_for(model))
    assert all(torch.isfinite(value) for value in log.values())
    assert changed(model.sr, before['sr']) and changed(model.task, before['task'])
    return log


def multi_task(*names: str) -> tuple[dict, dict]:
    """Return the config of a network with tasks of these names, and a batch for it."""
    from mmpretrain.structures import DataSample, MultiTaskDataSample

    heads = {name: dict(type='LinearClsHead', num_classes=n) for n, name in enumerate(names, 3)}
    cfg = net_config('resnet18')
    cfg.head = ConfigDict(type='MultiTaskHead', task_heads=heads, in_channels=512)
    batch = batch_for(cfg)
    batch['data_samples'] = [MultiTaskDataSample() for _ in range(2)]
    for sample in batch['data_samples']:
        for name in heads:
            sample.set_field(DataSample().set_gt_label(1), name)
    return cfg, batch


def test_multi_task():
    cfg, batch = multi_task('sr', 'color')  # sr is no field of ours
    log = check_step(mixed(cfg), copy.deepcopy(batch))
    assert {'task.sr.sr_loss', 'task.hr.color_loss', 'task.mix.sr_loss'} <= log.keys()
    found = mixed(cfg).eval().test_step(batch)
    assert all(0 <= int(sample.get(name).pred_label) < n for sample in found for n, name in ((3, 'sr'), (4, 'color')))


@pytest.mark.parametrize('name', ['lr', 'hr', 'task_input'])
def test_a_task_that_has_the_name_of_an_image_is_refused_in_the_first_iteration(name):
    cfg, batch = multi_task('kind', name)
    with pytest.raises(SR4IRError, match=f"have a field '{name}', such as a task .* choose another name"):
        mixed(cfg).train_step(batch, None)


def test_dynamic_rcnn_counts_iterations():
    small = {'backbone.depth': 18, 'neck.in_channels': [64, 128, 256, 512], 'train_cfg.rcnn.sampler.num': 8}
    cfg = net_config('faster_rcnn', **{'roi_head.type': 'DynamicRoIHead', **small})
    cfg.roi_head.bbox_head.update(fc_out_channels=16, loss_bbox=dict(type='SmoothL1Loss', beta=1.0))
    cfg.train_cfg.rpn_proposal.max_per_img = 20
    cfg.train_cfg.rcnn.dynamic_rcnn = ConfigDict(
        iou_topk=2, beta_topk=2, update_iter_interval=2, initial_iou=0.4, initial_beta=1.0)  # fmt: skip
    for scheme, images in (('SR4IR', 3), ('H->T', 1)):
        model, seen = mixed(cfg, scheme).train(), []
        for i in range(2):
            model.train_step(batch_for(cfg, (32, 32), seed=i), wrappers_for(model, lr=1e-4))
            seen.append(len(model.task.roi_head.iou_history))
        assert seen == [images, 0]  # the second iteration adapts the thresholds
    assert cfg.train_cfg.rcnn.dynamic_rcnn.update_iter_interval == 2


class Gallery(torch.utils.data.Dataset):
    """Four labeled images; ``sample_idx`` is their place in the gallery."""

    metainfo = dict(classes=[str(i) for i in range(10)])

    def __init__(self) -> None:
        from mmpretrain.structures import DataSample

        self.images = torch.randint(0, 256, (4, 3, 32, 32), dtype=torch.uint8)
        self.make = DataSample

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> dict:
        sample = self.make(metainfo=dict(sample_idx=index, img_path=f'{index}.png')).set_gt_label(index)
        return dict(inputs=self.images[index], data_samples=sample)


@pytest.mark.parametrize('more', [[], [dict(type='sr4ir_mm.TaskStatisticsHook')]])
@pytest.mark.parametrize('scheme', ['H->T', 'SR4IR'])
def test_the_gallery_of_a_retriever_is_what_the_task_network_receives_at_each_validation(scheme, more, tmp_path):
    data = Gallery()
    loader = dict(batch_size=2, num_workers=0, dataset=data, sampler=dict(type='DefaultSampler', shuffle=False))
    cfg = ConfigDict(
        type='ImageToImageRetriever', _scope_='mmpretrain', prototype=loader,
        image_encoder=[dict(type='ResNet', depth=18), dict(type='GlobalAveragePooling')],
        head=dict(type='LinearClsHead', num_classes=10, in_channels=512),
        data_preprocessor=dict(mean=[0, 0, 0], std=[255, 255, 255], to_rgb=True),
    )  # fmt: skip
    model = mixed(cfg, scheme)
    hooks = [dict(type='sr4ir_mm.AlternatingUpdateHook'), dict(type='mmpretrain.PrepareProtoBeforeValLoopHook'), *more]
    runner = runner_for(
        model, data, tmp_path, custom_hooks=hooks, train_cfg=dict(by_epoch=True, max_epochs=2), val_cfg={},
        val_dataloader=loader, val_evaluator=dict(type='mmpretrain.RetrievalRecall', topk=1),
    )  # fmt: skip
    scores = []
    runner.val_evaluator.metrics[0].process = lambda batch, samples: scores.extend(s['pred_score'] for s in samples)
    runner.val_evaluator.metrics[0].evaluate = lambda size: {}
    with warnings.catch_warnings():
        warnings.resetwarnings()
        hide_notes()
        warnings.filterwarnings('error', '.*retriever', UserWarning, append=True)
        runner.train()
    assert len(scores) == 8
    for i, score in enumerate(scores):  # an image is most similar to itself, whatever the weights are by then
        assert score.argmax() == i % 4 and score.max().item() == pytest.approx(1, abs=1e-5)
    assert not torch.equal(scores[0], scores[4])


IMAGE = torch.zeros(3, 32, 32)


@pytest.mark.parametrize('inputs', [[[IMAGE, IMAGE]] * 2, dict(sup=[], unsup=[]), [torch.stack([IMAGE, IMAGE])]])
def test_several_images_for_a_sample_are_refused(inputs):
    model = mixed(net_config('resnet18'))
    with pytest.raises(SR4IRError, match='several images for a sample'):
        model.data_preprocessor(dict(inputs=inputs, data_samples=[BaseDataElement()] * 2), True)
