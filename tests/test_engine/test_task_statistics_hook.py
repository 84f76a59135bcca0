"""Statistics that are tested and saved, in a training that does not notice."""

import random

import numpy as np
import pytest
import torch
from helpers.toy import EDSR, ToyClassifier, ToyDataset, toy_batch
from helpers.zoo import runner_for
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from sr4ir_mm.engine.runner import LateDumpRunner
from sr4ir_mm.engine.seeding import own_random_numbers
from sr4ir_mm.engine.task_statistics import measure_statistics
from sr4ir_mm.engine.tested_images import ImagesAsTested
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR

OURS = dict(type='sr4ir_mm.TaskStatisticsHook', images=4)
#: averages of weights, without and with buffers, as in mmpretrain and in mmdet
AVERAGES = [(), (dict(type='EMAHook', momentum=0.4),), (dict(type='EMAHook', momentum=0.4, update_buffers=True),)]


class Augmented(ToyDataset):
    """Data that draw from the generators of this process."""

    def __getitem__(self, index: int) -> dict:
        item = super().__getitem__(index)
        shift = random.randint(-40, 40) + np.random.randint(-40, 40) + int(torch.randint(-40, 40, ()))
        return dict(item, inputs=(item['inputs'].int() + shift).clamp(0, 255).byte())


class Rising(BaseMetric):
    """A score that is better each time."""

    scores = iter(range(10**6))

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        return dict(score=next(self.scores))


class Watch(Hook):
    """Keeps the state of T that is tested, of the last validation or test."""

    def before_val_iter(self, runner, *_, **__):
        self.tested = {name: value.clone() for name, value in runner.model.task.state_dict().items()}

    before_test_iter = before_val_iter


def train(folder, ours=(OURS,), average=(), by_epoch: bool = True, scheme: str = 'SR4IR', net=None, **kwargs) -> Runner:
    """Three epochs of two iterations, or two passes of three; validated and saved twice, the best one too."""
    torch.manual_seed(0)
    task = net or ToyClassifier()
    task.fc = nn.Sequential(nn.Dropout(0.5), task.fc)
    model = SR4IR(dict(EDSR), task, scale=4, scheme=scheme, cqmix=dict(grid=4))
    data = Augmented(toy_batch(4 if by_epoch else 6))
    loader = dict(batch_size=2, num_workers=0, dataset=data, sampler=dict(type='DefaultSampler', shuffle=False))
    train_cfg = dict(max_epochs=3, val_interval=2) if by_epoch else dict(max_iters=6, val_interval=4)
    checkpoint = dict(type='CheckpointHook', interval=1 if by_epoch else 3, by_epoch=by_epoch, save_best='score',
                      rule='greater')  # fmt: skip
    sgd = dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9), accumulative_counts=2)
    runner = runner_for(
        model, data, folder, train_cfg=dict(by_epoch=by_epoch, **train_cfg), val_dataloader=loader, val_cfg=dict(),
        val_evaluator=[Rising()], test_dataloader=loader, test_cfg=dict(), test_evaluator=[Rising()],
        optim_wrapper=dict(constructor='sr4ir_mm.SR4IROptimWrapperConstructor', sr=sgd, task=sgd),
        custom_hooks=[dict(type='sr4ir_mm.AlternatingUpdateHook'), *average, *ours, Watch()],
        default_hooks=dict(runtime_info=dict(type='sr4ir_mm.DeferredRuntimeInfoHook'), checkpoint=checkpoint),
        **kwargs)  # fmt: skip
    runner.train()
    return runner


def load(folder, pattern: str) -> dict:
    (path,) = folder.glob(pattern)
    return torch.load(path, weights_only=False)


def is_statistic(key: str) -> bool:
    return 'running' in key


def task_state(checkpoint: dict, statistics: bool = True) -> dict:
    state = checkpoint['state_dict']
    return {k[5:]: v for k, v in state.items() if k.startswith('task.') and is_statistic(k) == statistics}


def assert_same(a: dict, b: dict) -> None:
    assert a.keys() == b.keys()
    assert not [key for key, value in a.items() if not torch.equal(value, b[key])]


def watched(runner: Runner) -> dict:
    (state,) = (hook.tested for hook in runner.hooks if isinstance(hook, Watch))
    return {key: value for key, value in state.items() if is_statistic(key)}


def measured(runner: Runner, checkpoint: dict) -> dict:
    """The statistics with the weights that a file holds, on the training images."""
    torch.manual_seed(0)
    model = SR4IR(dict(EDSR), ToyClassifier(), scale=4)
    model.task.fc = nn.Sequential(nn.Dropout(0.5), model.task.fc)
    model.load_state_dict(checkpoint['state_dict'])
    with own_random_numbers(0):
        return measure_statistics(model.train(), ImagesAsTested(runner, 4, None))


@pytest.mark.parametrize('average', AVERAGES)
@pytest.mark.parametrize('by_epoch', [True, False])
def test_every_checkpoint_and_test_has_them(by_epoch, average, tmp_path):
    runner = train(tmp_path / 'on', average=average, by_epoch=by_epoch)
    for pattern in ('epoch_?.pth', 'best*.pth') if by_epoch else ('iter_?.pth', 'best*.pth'):
        for path in (tmp_path / 'on').glob(pattern):
            saved = torch.load(path, weights_only=False)
            expected = measured(runner, saved)
            assert len(expected) == 4
            assert_same(task_state(saved), expected)
    last = load(tmp_path / 'on', 'epoch_3.pth' if by_epoch else 'iter_6.pth')
    assert_same(watched(runner), task_state(last))
    if not average:
        assert_same(runner.model.state_dict(), last['state_dict'])
    runner.test()
    assert_same(watched(runner), task_state(last))


@pytest.mark.parametrize('average', AVERAGES)
@pytest.mark.parametrize('by_epoch', [True, False])
def test_the_training_is_the_same_without(by_epoch, average, tmp_path):
    """Also what a resumed run starts from: the averages, and the statistics of the training."""
    on, off = (train(tmp_path / name, ours, average, by_epoch) for name, ours in (('on', [OURS]), ('off', [])))
    for path in (tmp_path / 'off').glob('*_?.pth'):
        ours, theirs = (torch.load(tmp_path / name / path.name, weights_only=False) for name in ('on', 'off'))
        assert_same(task_state(ours, statistics=False), task_state(theirs, statistics=False))
        kept = {key.removeprefix('task.'): value for key, value in ours['run_state']['statistics'].items()}
        assert_same(kept, task_state(theirs))
        assert any(not torch.equal(value, kept[key]) for key, value in task_state(ours).items())
        if average:
            assert_same(ours['ema_state_dict'], theirs['ema_state_dict'])
    if average:
        a, b = (next(hook.ema_model for hook in run.hooks if hasattr(hook, 'ema_model')) for run in (on, off))
        assert_same(a.state_dict(), b.state_dict())
        assert_same(on.model.state_dict(), off.model.state_dict())


@pytest.mark.parametrize('average', AVERAGES)
@pytest.mark.parametrize('by_epoch', [True, False])
def test_a_resumed_run_is_equal_to_a_straight_one(by_epoch, average, tmp_path):
    name, last = ('epoch_1.pth', 'epoch_3.pth') if by_epoch else ('iter_3.pth', 'iter_6.pth')
    train(tmp_path / 'straight', average=average, by_epoch=by_epoch)
    file = str(tmp_path / 'straight' / name)
    train(tmp_path / 'resumed', average=average, by_epoch=by_epoch, resume=True, load_from=file)
    ours, theirs = (load(tmp_path / run, last) for run in ('resumed', 'straight'))
    assert_same(ours['state_dict'], theirs['state_dict'])
    assert_same(ours['run_state']['statistics'], theirs['run_state']['statistics'])
    if average:
        assert_same(ours['ema_state_dict'], theirs['ema_state_dict'])


class Kill(Hook):
    """Ends the run in its first validation, as a kill would."""

    def after_val_iter(self, runner, *_, **__):
        raise KeyboardInterrupt


@pytest.mark.parametrize('average', AVERAGES)
def test_a_validation_that_is_repeated(average, tmp_path):
    train(tmp_path / 'straight', average=average, kind=LateDumpRunner)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / 'killed', [OURS, Kill()], average, kind=LateDumpRunner)
    file = str(tmp_path / 'killed/epoch_2.pth')
    resumed = train(tmp_path / 'killed', average=average, kind=LateDumpRunner, resume=True, load_from=file,
                    experiment_name=f'{tmp_path.name}-again')  # fmt: skip
    ours, theirs = (load(tmp_path / run, 'epoch_3.pth') for run in ('killed', 'straight'))
    assert_same(ours['state_dict'], theirs['state_dict'])
    assert_same(ours['run_state']['statistics'], theirs['run_state']['statistics'])
    assert_same(watched(resumed), task_state(ours))


def test_a_new_run_starts_from_what_was_tested(tmp_path):
    train(tmp_path / 'first')
    first = load(tmp_path / 'first', 'epoch_3.pth')

    class Start(Hook):
        def before_train(self, runner):
            self.state = {key: value.clone() for key, value in runner.model.state_dict().items()}

    start = Start()
    train(tmp_path / 'second', ours=[start], load_from=str(tmp_path / 'first/epoch_3.pth'))
    assert_same(start.state, first['state_dict'])


class Frozen(ToyClassifier):
    def train(self, mode: bool = True):
        super().train(mode)
        self.backbone.eval()
        return self


@pytest.mark.parametrize(
    'options', [dict(scheme='T->S'), dict(net=Frozen()), dict(net=ToyClassifier(norm=False))], ids=str
)
def test_nothing_is_done_without_statistics_that_change(options, tmp_path, monkeypatch):
    monkeypatch.setattr('sr4ir_mm.engine.task_statistics_hook.measure_statistics', None)
    monkeypatch.setattr('sr4ir_mm.engine.task_statistics_hook.ImagesAsTested', None)
    train(tmp_path / 'on', **options)
    assert 'statistics' not in load(tmp_path / 'on', 'epoch_3.pth')['run_state']


def test_without_a_validation(tmp_path):
    torch.manual_seed(0)
    model = SR4IR(dict(EDSR), ToyClassifier(), scale=4)
    hooks = [dict(type='sr4ir_mm.AlternatingUpdateHook'), OURS]
    runner = runner_for(
        model, ToyDataset(toy_batch(4)), tmp_path, custom_hooks=hooks, train_cfg=dict(by_epoch=True, max_epochs=1)
    )
    runner.train()
    assert_same(measure_statistics(model, ImagesAsTested(runner, 4, None)), model_statistics(model))


def model_statistics(model: SR4IR) -> dict:
    return {key: value for key, value in model.task.state_dict().items() if is_statistic(key)}


def test_a_test_alone_changes_nothing(tmp_path):
    train(tmp_path / 'run')
    torch.manual_seed(0)
    model = SR4IR(dict(EDSR), ToyClassifier(), scale=4)
    model.task.fc = nn.Sequential(nn.Dropout(0.5), model.task.fc)
    loader = dict(batch_size=2, dataset=ToyDataset(toy_batch(4)), sampler=dict(type='DefaultSampler', shuffle=False))
    watch = Watch()
    runner = Runner(
        model, str(tmp_path / 'test'), test_dataloader=loader, test_cfg=dict(), test_evaluator=[Rising()],
        load_from=str(tmp_path / 'run/epoch_3.pth'), default_scope='mmengine', experiment_name=tmp_path.name,
        custom_hooks=[dict(type='sr4ir_mm.AlternatingUpdateHook'), OURS, watch])  # fmt: skip
    runner.test()
    assert_same(watched(runner), task_state(load(tmp_path / 'run', 'epoch_3.pth')))


@pytest.mark.parametrize('priority', ['LOWEST', 'VERY_HIGH'])
def test_priorities_that_do_not_fit_are_refused(priority, tmp_path):
    with pytest.raises(SR4IRError, match=f"EMAHook has the priority {priority}.*set 'NORMAL'"):
        train(tmp_path / 'run', average=[dict(type='EMAHook', priority=priority)])


def test_tests_of_two_kinds_of_weights_are_refused(tmp_path):
    both = dict(type='mmpretrain.EMAHook', evaluate_on_origin=True)
    with pytest.raises(SR4IRError, match='evaluate_on_origin=True'):
        train(tmp_path / 'run', average=[both])
