"""The Runner of tools/test.py, on which that of tools/train.py builds."""

import pytest
from helpers.toy import EDSR, ToyClassifier, ToyDataset, toy_batch
from helpers.zoo import runner_for
from mmengine.runner import LogProcessor
from test_screen import Terminal

from sr4ir_mm.engine.fast_runner import FastRunner
from sr4ir_mm.engine.log_lines import ScreenLogProcessor
from sr4ir_mm.engine.progress_hook import ProgressHook
from sr4ir_mm.engine.screen import Screen
from sr4ir_mm.engine.screen_runner import ScreenRunner
from sr4ir_mm.models import SR4IR


def build(tmp_path):
    model = SR4IR(dict(EDSR), ToyClassifier(), scale=4)
    train_cfg = dict(by_epoch=True, max_epochs=1)
    return runner_for(model, ToyDataset(toy_batch()), tmp_path, train_cfg=train_cfg, kind=ScreenRunner)


@pytest.mark.parametrize('kind', [LogProcessor, 'mmengine.runner.LogProcessor', None])
def test_the_log_processor_of_mmengine_by_its_other_names(kind, tmp_path):
    found = build(tmp_path).build_log_processor(dict(type=kind, num_digits=2))
    assert isinstance(found, ScreenLogProcessor) and found.num_digits == 2


def test_a_log_processor_of_ones_own(tmp_path):
    class Own(LogProcessor):
        """Lines of another form."""

    assert type(build(tmp_path).build_log_processor(dict(type=Own))) is Own


@pytest.mark.parametrize('verb', ['train', 'val', 'test'])
def test_a_run_that_fails_leaves_no_bar_before_its_message(verb, tmp_path, monkeypatch):
    runner = build(tmp_path)
    runner.screen = Screen(stream := Terminal())

    def fail(self):
        self.screen.show('half of it')
        raise RuntimeError('out of memory')

    monkeypatch.setattr(FastRunner, verb, fail)
    with pytest.raises(RuntimeError, match='out of memory'):
        getattr(runner, verb)()
    assert stream.seen() == ['']


def test_a_config_that_inherits_from_one_of_another_package_has_scopes_everywhere(tmp_path):
    found = build(tmp_path).build_log_processor(dict(type='LogProcessor', _scope_='mmdet', window_size=7))
    assert isinstance(found, ScreenLogProcessor) and found.window_size == 7


def test_the_screen_of_a_test_has_no_system_and_no_config(tmp_path, capsys):
    runner = build(tmp_path)
    shown = capsys.readouterr().out
    assert 'System environment' not in shown and 'Config:' not in shown
    assert sum(isinstance(hook, ProgressHook) for hook in runner.hooks) == 1
