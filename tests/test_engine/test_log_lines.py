"""Log lines that fit a screen, while the file has all values."""

from types import SimpleNamespace

import numpy as np
from mmengine.hooks import CheckpointHook
from mmengine.logging import MessageHub
from mmengine.runner import LogProcessor

from sr4ir_mm.engine.log_lines import ScreenLogProcessor, fit, main_losses, short_name

VALUES = {'sr.loss_pix': 0.25, 'sr.loss_tdp': 0.5, 'loss': 2.75}
VALUES |= {f'task.{image}.{name}': 1.0 for image in ('sr', 'mix') for name in ('loss', 'decode.loss_ce')}


def test_sums_of_the_task_network_stand_for_their_parts():
    assert list(main_losses(VALUES)) == ['sr.loss_pix', 'sr.loss_tdp', 'task.sr.loss', 'task.mix.loss', 'loss']


def test_the_sum_over_the_phases_is_not_shown_twice():
    assert list(main_losses({'task.hr.loss': 1.5, 'task.hr.loss_cls': 1.5, 'loss': 1.5})) == ['task.hr.loss']


def test_losses_of_another_model_are_shown():
    assert main_losses({'loss_a': 1.0, 'time': 2.0}) == {'loss_a': 1.0}


def test_names():
    assert [short_name(name) for name in ('sr.loss_pix', 'task.hr.loss', 'loss')] == ['sr.pix', 'task.hr', 'loss']


def test_what_does_not_fit_is_left_out():
    assert fit(['a' * 10, 'b' * 10, 'c'], width=32) == f'{"a" * 10}  {"b" * 10}'
    assert fit(['a' * 50, 'b'], width=32) == 'a' * 50  # not nothing


def runner(hub: str, tag: dict, mode: str) -> SimpleNamespace:
    hub = MessageHub.get_instance(hub)
    for name, value in tag.items():
        hub.update_scalar(f'{mode}/{name}', value)
    hub.update_info('eta', 3700.0)
    loader = SimpleNamespace(dataset=None, __len__=None)
    loop = SimpleNamespace(dataloader=[None] * 8)
    return SimpleNamespace(
        message_hub=hub, hooks=[CheckpointHook(save_best='mIoU', rule='greater')], iter=7, epoch=0, max_epochs=2,
        max_iters=16,
        train_loop=loop, _train_loop=loop, val_loop=loop, train_dataloader=[None] * 8, val_dataloader=[None] * 8,
        loader=loader,
    )  # fmt: skip


def test_an_iteration(tmp_path):
    run = runner(tmp_path.name, dict(VALUES, time=0.5, data_time=0.1, **{'sr.lr': 1e-4}), 'train')
    tag, line = ScreenLogProcessor().get_log_after_iter(run, 7, 'train')
    assert line.short == (
        'Epoch(train) [1][8/8]  1:01:40 left  0.50 s/it  sr.pix 0.25  sr.tdp 0.5  task.sr 1  task.mix 1  loss 2.75'
    )
    assert (tag, line) == LogProcessor().get_log_after_iter(run, 7, 'train')  # MMEngine's own
    assert set(VALUES) | {'time', 'sr.lr'} <= set(tag)


def test_a_validation_begins_with_the_metric_of_the_best_checkpoint(tmp_path):
    metrics = {'aAcc': 90.0, 'mIoU': 50.0, 'mAcc': 60.0, **{f'other{i}': 1.0 for i in range(20)}, 'sr/PSNR': 24.0}
    run = runner(tmp_path.name, metrics | dict(time=1.0, data_time=1.0), 'val')
    _, line = ScreenLogProcessor().get_log_after_epoch(run, 8, 'val')
    start = 'Epoch(val) [0][8/8]  mIoU 50.0000  aAcc 90.0000  sr/PSNR 24.0000  mAcc 60.0000  other0'
    assert line.short.startswith(start) and len(line.short) < 120 and 'other19: 1.0000' in line


def test_a_test_shows_all_its_metrics(tmp_path):
    run = runner(tmp_path.name, {f'metric{i}': 1.0 for i in range(30)} | dict(time=1.0, data_time=1.0), 'test')
    run.test_loop = run.val_loop
    _, line = ScreenLogProcessor().get_log_after_epoch(run, 8, 'test')
    assert line.short.count('metric') == 30 and ' time' not in line.short


def test_metrics_that_are_no_numbers(tmp_path):
    """As those of mmpretrain with ``average=None``; the file has the large ones."""
    run = runner(tmp_path.name, {'m/runtime': 3.0}, 'test')
    run.test_loop = run.val_loop
    found = dict(
        precision=[50.0, 25.5], count=np.int64(7), matrix=np.eye(9), unit='px', tested=dict(checkpoint='a.pth')
    )
    for name, value in found.items():
        run.message_hub.update_info(f'test/{name}', value)
    _, line = ScreenLogProcessor().get_log_after_epoch(run, 8, 'test', with_non_scalar=True)
    shown = 'm/runtime 3.0000  precision [50.0, 25.5]  count 7  matrix (see the log file)  unit px'
    assert line.short == f'Epoch(test) [8/8]  {shown}' and '[0. 1. 0.' in line


def test_names_with_the_mode_before_them(tmp_path):
    processor = ScreenLogProcessor(log_with_hierarchy=True)
    run = runner(tmp_path.name, dict(VALUES, time=0.5, data_time=0.1), 'train')
    assert '  0.50 s/it  sr.pix 0.25  sr.tdp 0.5  task.sr 1' in processor.get_log_after_iter(run, 7, 'train')[1].short
    run = runner(tmp_path.name, dict(aAcc=90.0, mIoU=50.0, time=0.5, data_time=0.1), 'val')
    tag, line = processor.get_log_after_epoch(run, 8, 'val')
    assert line.short == 'Epoch(val) [0][8/8]  mIoU 50.0000  aAcc 90.0000' and 'val/mIoU' in tag


def test_a_test_without_a_terminal_says_how_long_it_takes(tmp_path):
    run = runner(tmp_path.name, dict(time=0.5, data_time=0.1), 'test')
    run.test_loop = run.val_loop
    assert ScreenLogProcessor().get_log_after_iter(run, 3, 'test')[1].short == (
        'Epoch(test) [4/8]  1:01:40 left  0.50 s/it'
    )
