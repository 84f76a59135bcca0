"""A mixed config keeps the best checkpoint of its own metric, and measures the SR images, without being asked."""

from types import SimpleNamespace

import pytest
from helpers.toy import EDSR, ToyClassifier, ToyDataset, toy_batch
from helpers.zoo import runner_for
from mmengine.config import Config
from mmengine.evaluator import BaseMetric, Evaluator

from sr4ir_mm import mix
from sr4ir_mm.engine import TaskEvaluationHook
from sr4ir_mm.engine.task_evaluation_hook import best_metric
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.evaluation import SRQuality
from sr4ir_mm.inference import use_lr_input
from sr4ir_mm.models import SR4IR


class CocoMetric(BaseMetric):
    """Stand-in for mmdet's: a detector that finds nothing has no scores in the first validation."""

    default_prefix = 'coco'
    metrics, metric_items, format_only = ['bbox'], None, False
    scores = ({}, dict(bbox_mAP=0.5, bbox_mAP_50=0.9), dict(bbox_mAP=0.4, bbox_mAP_50=0.95))
    calls = 0

    def process(self, data_batch, data_samples) -> None:
        """Keep something."""
        self.results.append(0)

    def compute_metrics(self, results: list) -> dict:
        """Return the next scores."""
        self.calls += 1
        print('DONE (t=0.42s).')
        return self.scores[self.calls - 1]


def train(folder, scheme: str = 'SR4IR', metrics: tuple = (), hook: dict | None = None, **checkpoint):
    sr = None if scheme == 'H->T' else dict(EDSR)
    model = SR4IR(sr, ToyClassifier(), scale=4, scheme=scheme)
    data = ToyDataset(toy_batch())
    loader = dict(batch_size=2, dataset=data, sampler=dict(type='DefaultSampler', shuffle=False))
    evaluator = Evaluator([CocoMetric(), *metrics])
    hooks = dict(
        runtime_info=dict(type='sr4ir_mm.DeferredRuntimeInfoHook'),
        checkpoint=dict(type='CheckpointHook', interval=-1, save_last=False, **checkpoint),
        task_evaluation=dict(type='sr4ir_mm.TaskEvaluationHook', **(hook or {})),
    )
    options = dict(default_hooks=hooks, val_dataloader=loader, val_cfg=dict(), val_evaluator=evaluator)
    runner = runner_for(model, data, folder, train_cfg=dict(by_epoch=True, max_epochs=3), **options)
    runner.train()
    return runner.message_hub, sorted(path.name for path in folder.glob('*.pth'))


def test_the_metric_of_the_task_network_decides(tmp_path, monkeypatch, capsys):
    """Also if the first validation finds nothing, and the SR network has its best images in another epoch."""
    messages = []
    monkeypatch.setattr('sr4ir_mm.evaluation.coco_scores.print_log', lambda text, *args: messages.append(text))
    hub, files = train(tmp_path)
    assert messages.count('COCO evaluation:\nDONE (t=0.42s).\n') == 3 and 'DONE' not in capsys.readouterr().out
    assert files == ['best_coco_bbox_mAP_epoch_2.pth'] and hub.get_info('best_score') == 0.5
    assert [hub.get_scalar(f'val/{name}').data[0].size for name in ('coco/bbox_mAP', 'sr/PSNR', 'sr/SSIM')] == [3] * 3
    assert hub.get_scalar('val/coco/bbox_mAP').data[0].tolist() == [0, 0.5, 0.4]


def test_what_the_user_says_comes_first(tmp_path):
    quality = SRQuality(['PSNR'], prefix='mine')
    hub, files = train(tmp_path, metrics=(quality,), save_best='coco/bbox_mAP_50', rule='greater')
    assert files == ['best_coco_bbox_mAP_50_epoch_3.pth']
    names = {name for name in hub.log_scalars if name.startswith('val/')}
    assert 'val/mine/PSNR' in names and not {'val/sr/PSNR', 'val/mine/SSIM'} & names


def test_off(tmp_path):
    hub, files = train(tmp_path, hook=dict(quality=(), save_best=False))
    assert files == [] and not any('PSNR' in name for name in hub.log_scalars)


def test_hr_images_are_not_compared_with_themselves(tmp_path):
    hub, files = train(tmp_path, 'H->T')
    assert files == ['best_coco_bbox_mAP_epoch_2.pth'] and not any('PSNR' in name for name in hub.log_scalars)


def test_unknown_qualities_are_refused_before_the_training():
    with pytest.raises(SR4IRError, match='SRQuality has no metric'):
        TaskEvaluationHook(['psnr'])


def test_no_validation():
    TaskEvaluationHook().before_train(SimpleNamespace(val_loop=None, hooks=None))


class IoUMetric(CocoMetric):
    """Stand-in for mmseg's, whose first value is 'aAcc'."""

    default_prefix = None
    metrics = ['mIoU', 'mDice']


def test_the_name_of_the_metric():
    assert best_metric(IoUMetric()) == 'mIoU' and best_metric(IoUMetric(prefix='a')) == 'a/mIoU'
    assert best_metric(CocoMetric()) == 'auto'


def test_every_mix_has_the_hook_and_the_evaluator_of_the_zoo():
    cfg = mix('mmpretrain::resnet/resnet18_8xb32_in1k.py')
    assert cfg.default_hooks.task_evaluation.type == 'sr4ir_mm.TaskEvaluationHook'
    assert cfg.val_evaluator.type == 'Accuracy'


def test_images_without_hr_are_not_measured():
    pipeline = [dict(type='LoadImageFromFile')]
    cfg = Config(
        dict(
            test_dataloader=dict(dataset=dict(pipeline=pipeline)),
            test_evaluator=dict(type='Accuracy'),
            default_hooks=dict(task_evaluation=dict(type='sr4ir_mm.TaskEvaluationHook')),
        )
    )
    use_lr_input(cfg)
    assert 'task_evaluation' not in cfg.default_hooks
