"""What a checkpoint holds in addition to MMEngine's, and what a run says that cannot be resumed exactly."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers.toy import EDSR, ToyClassifier, ToyDataset, toy_batch
from helpers.zoo import runner_for
from mmengine.evaluator import BaseMetric
from mmengine.hooks import CheckpointHook, EarlyStoppingHook, Hook
from mmengine.runner import Runner
from torch import nn

from sr4ir_mm.engine import AlternatingUpdateHook
from sr4ir_mm.engine.run_state import RunState, plain_attributes, set_attributes
from sr4ir_mm.engine.runner import LateDumpRunner
from sr4ir_mm.models import SR4IR
from sr4ir_mm.registry import MODELS


def test_attributes_of_modules_and_their_parts():
    """BatchSyncRandomResize has a size, Dynamic R-CNN changes a threshold of an object that is no module."""
    from mmdet.models.task_modules import MaxIoUAssigner

    net = torch.nn.Sequential(MODELS.build(dict(type='mmdet.BatchSyncRandomResize', random_size_range=(320, 480))))
    net[0].assigner = MaxIoUAssigner(0.5, 0.4)
    before = plain_attributes(net)
    assert before['0._input_size'] is None and before['0.assigner.pos_iou_thr'] == 0.5
    net[0]._input_size, net[0].assigner.pos_iou_thr = (352, 416), 0.6
    after = plain_attributes(net)
    assert {k for k in after if after[k] != before[k]} == {'0._input_size', '0.assigner.pos_iou_thr'}
    set_attributes(net, before)
    assert plain_attributes(net) == before


def test_attributes_of_a_distributed_training():
    """Those of wrappers are their own, and another run may have none."""
    alone, wrapped = (SR4IR(dict(EDSR), ToyClassifier(), scale=4) for _ in range(2))
    wrapped.sr, wrapped.task = nn.DataParallel(wrapped.sr), nn.DataParallel(wrapped.task)
    wrapped.task.module.threshold = 0.5
    values = plain_attributes(wrapped)
    assert values.keys() - plain_attributes(alone).keys() == {'task.threshold'}
    for model in (alone, wrapped):
        set_attributes(model, {'task.threshold': 0.6})
    assert alone.task.threshold == wrapped.task.module.threshold == 0.6


class Accuracy(BaseMetric):
    """Share of right predictions; the list ``calls`` gets an entry for each validation."""

    default_prefix = 'toy'
    calls: list[int] = []

    def process(self, data_batch, data_samples):
        self.results.extend(int(sample['pred']) == sample['label'] for sample in data_samples)

    def compute_metrics(self, results):
        self.calls.append(len(results))
        return dict(accuracy=sum(results) / len(results))


class Kill(Hook):
    """Ends the run in the validation after an epoch, as a kill would."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.epoch == self.epoch:
            raise KeyboardInterrupt


def train(folder, hooks=(), max_epochs: int = 4, interval: int = 1, val_interval: int = 2, **kwargs) -> Runner:
    torch.manual_seed(0)
    model = SR4IR(dict(EDSR), ToyClassifier(), scale=4)
    data = ToyDataset(toy_batch(4))
    loader = dict(batch_size=2, num_workers=0, dataset=data, sampler=dict(type='DefaultSampler', shuffle=False))
    runner = runner_for(
        model, data, folder, val_cfg=dict(),
        train_cfg=dict(by_epoch=True, max_epochs=max_epochs, val_interval=val_interval),
        val_dataloader=loader, val_evaluator=[dict(type=Accuracy)], custom_hooks=[AlternatingUpdateHook(), *hooks],
        default_hooks=dict(checkpoint=CheckpointHook(interval=interval, save_best='toy/accuracy', rule='greater')),
        kind=LateDumpRunner, **kwargs,
    )  # fmt: skip
    runner.train()
    return runner


@pytest.mark.parametrize('epoch', [2, 4])
def test_a_validation_that_was_killed_is_repeated(epoch, tmp_path):
    """Message hub, best checkpoint and weights are those of a straight run, also after the last epoch."""
    straight = train(tmp_path / 'straight')
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / 'killed', [Kill(epoch)])
    load_from = str(tmp_path / f'killed/epoch_{epoch}.pth')
    resumed = train(tmp_path / 'killed', resume=True, load_from=load_from, experiment_name='resumed')
    ours, theirs = (runner.message_hub.log_scalars for runner in (resumed, straight))
    for key, value in theirs.items():
        if 'time' not in key and 'memory' not in key:
            assert all(map(np.array_equal, ours[key].data, value.data))
    counters, theirs = (
        {key: runner.message_hub.get_info(key) for key in ('epoch', 'iter', 'max_epochs', 'max_iters')}
        for runner in (resumed, straight)
    )
    assert counters == theirs
    assert resumed.message_hub.get_info('best_score') == straight.message_hub.get_info('best_score')
    hubs = [
        torch.load(tmp_path / name / 'epoch_4.pth', weights_only=False)['message_hub']['log_scalars']
        for name in ('straight', 'killed')
    ]
    assert len({len(hub['val/toy/accuracy'].data[0]) for hub in hubs}) == 1  # saved again, with a new best score
    names = [sorted(path.name for path in (tmp_path / name).glob('*.pth')) for name in ('straight', 'killed')]
    assert names[0] == names[1]
    for key, value in straight.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[key], value)


@pytest.mark.parametrize(('checkpoint', 'validations'), [('epoch_1', 2), ('epoch_2', 1), ('epoch_3', 1), ('best', 1)])
def test_other_validations_are_not_repeated(checkpoint, validations, tmp_path):
    """MMEngine writes epoch_2.pth again when its validation was the best one."""
    train(tmp_path / 'straight', max_epochs=3 if checkpoint == 'best' else 4)
    (path,) = (tmp_path / 'straight').glob(f'{checkpoint}*.pth')
    Accuracy.calls.clear()
    train(tmp_path / 'resumed', resume=True, load_from=str(path))
    assert Accuracy.calls == [4] * validations


def test_a_new_best_score_saves_the_last_checkpoint_after_a_resume_too(tmp_path):
    """Also between two checkpoints, and although the resumed run has not saved one yet."""
    options = dict(max_epochs=5, interval=3, val_interval=4)
    train(tmp_path / 'straight', **options)
    files = {path.name for path in (tmp_path / 'straight').glob('*.pth')}
    assert {'epoch_3.pth', 'epoch_4.pth', 'epoch_5.pth'} < files
    train(tmp_path / 'resumed', resume=True, load_from=str(tmp_path / 'straight/epoch_3.pth'), **options)
    assert {path.name for path in (tmp_path / 'resumed').glob('*.pth')} == files - {'epoch_3.pth'}
    train(tmp_path / 'latest', **(options | dict(max_epochs=3)))
    train(tmp_path / 'latest', resume=True, experiment_name='latest resumed', **options)  # MMEngine finds the file
    assert files <= {path.name for path in (tmp_path / 'latest').glob('*.pth')}


def test_the_best_checkpoint_of_another_work_dir_stays(tmp_path):
    """MMEngine would delete it when the resumed run has a better one."""
    train(tmp_path / 'first', max_epochs=3)
    best = tmp_path / 'first/best_toy_accuracy_epoch_2.pth'
    assert best.exists()
    runner = train(tmp_path / 'second', resume=True, load_from=str(tmp_path / 'first/epoch_2.pth'))
    assert runner.message_hub.get_info('best_score') > 0 and best.exists()
    assert [path.name for path in (tmp_path / 'second').glob('best*')] == ['best_toy_accuracy_epoch_4.pth']


def test_early_stopping_goes_on(tmp_path):
    runner = train(tmp_path / 'first', [EarlyStoppingHook('toy/accuracy', patience=9, min_delta=1.0)])
    (hook,) = (hook for hook in runner.hooks if isinstance(hook, EarlyStoppingHook))
    state = RunState(runner).collect()
    assert state['patience'] == [(hook.wait_count, hook.best_score)] and hook.wait_count > 0
    hook.wait_count = 0
    RunState(runner).restore(state)
    assert hook.wait_count == state['patience'][0][0]


@pytest.mark.parametrize(
    ('loader', 'step', 'message'),
    [
        (dict(num_workers=1, persistent_workers=True), None, 'persistent_workers=True: workers go on'),
        (dict(num_workers=0), SimpleNamespace(results_cache=[]), 'SimpleNamespace keeps images from epoch to epoch'),
        (dict(num_workers=1), SimpleNamespace(results_cache=[]), None),
        (dict(num_workers=1), None, None),
    ],
)
def test_a_run_says_at_its_start_what_cannot_be_exact(loader, step, message, tmp_path, caplog):
    data = ToyDataset(toy_batch(4))
    data.pipeline = SimpleNamespace(transforms=[step] if step else [])
    model = SR4IR(dict(EDSR), ToyClassifier(), scale=4)
    runner = runner_for(model, data, tmp_path, loader=loader, train_cfg=dict(by_epoch=True, max_epochs=1))
    said = []
    runner.logger.warning = lambda text, *args: said.append(text)
    runner.train()
    said = [text for text in said if 'equal to a straight one' in text]
    assert len(said) == bool(message) and (not message or message in said[0])
