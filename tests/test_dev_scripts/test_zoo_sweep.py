import math
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import zoo_check
from helpers.zoo import TOOLS, run_tool
from zoo_check import check_model, difference
from zoo_models import ZooModel, save_models
from zoo_report import CHECKS, cause_of, read_rows, write_rows

from sr4ir_mm.models import SR4IR

TOOL = '../.dev_scripts/zoo_sweep/zoo_sweep'
MOBILENET = 'mmpretrain::mobilenet_v3/mobilenet-v3-small_8xb128_in1k.py'
OPTIONS = ('--out', 'out.csv', '--logs', 'logs')


def results(name: str) -> dict:
    rows = {}
    for part in check_model(name):
        assert ('traceback' in part) == ('error' in part)
        rows.setdefault('errors', []).extend([part.pop('error')] if 'error' in part else [])
        rows.update(part)
    return rows


@pytest.fixture
def models(tmp_path) -> Path:
    """A list of a model that trains and a config without one."""
    path = tmp_path / 'models.json'
    none = ZooModel('b', ['mmdet::common/ms-90k_coco.py'], 'the config has no model')
    save_models([ZooModel('a', [MOBILENET, 'mmpretrain::other.py']), none], path)
    return path


def sweep(models: Path, *args) -> list[dict]:
    assert run_tool(TOOL, *OPTIONS, '--models', models, *args, cwd=models.parent) == 0
    return sorted(read_rows(models.parent / 'out.csv'), key=lambda row: row['key'])


def test_a_net_that_passes_every_check():
    rows = results(MOBILENET)
    assert [rows[check] for check in CHECKS] == ['ok'] * len(CHECKS) and not rows['errors']
    assert (rows['size'], rows['params']) == (64, '2.5')


@pytest.mark.parametrize(
    'broken, failed', [('H->T', ['identity', 'predict', 'load_from']), ('SR4IR', ['sr4ir', 't2s'])]
)
def test_checks_find_a_wrapper_that_changes_the_model(broken, failed, monkeypatch):
    normalized_input = SR4IR.normalized_input

    def shifted(self, name, images):
        normalized = normalized_input(self, name, images)
        if broken == 'H->T' and self.sr is None:
            normalized = normalized + (1 if self.training else math.nan)  # an untrained net predicts the same for all
        if broken == 'SR4IR' and self.sr is not None:
            normalized = normalized * math.nan
        return normalized

    monkeypatch.setattr(SR4IR, 'normalized_input', shifted)
    rows = results(MOBILENET)
    assert [check for check in CHECKS if rows[check] == 'failed'] == failed
    assert len(rows['errors']) == len(failed)


def test_an_sr_net_that_stays_the_same_is_found(monkeypatch):
    wrapper = zoo_check._wrapper

    def no_step_of_s(net, *args):
        optimizer = wrapper(net, *args)
        if type(net).__name__ == 'EDSRNet':
            optimizer.optimizer.param_groups[0]['lr'] = 0
        return optimizer

    monkeypatch.setattr(zoo_check, '_wrapper', no_step_of_s)
    assert results(MOBILENET)['errors'] == [
        'sr4ir: CheckFailed: the SR network did not change', 't2s: CheckFailed: no parameter changed'
    ]  # fmt: skip


def test_a_frozen_network_that_changes_is_found(monkeypatch):
    frozen_task = SR4IR._frozen_task

    def update(self, phase):
        if phase.task and 'task' not in phase.learn:
            self.task.backbone.layer0.bn.running_mean += 1
        return frozen_task(self, phase)

    monkeypatch.setattr(SR4IR, '_frozen_task', update)
    (error,) = results(MOBILENET)['errors']
    assert error == 't2s: CheckFailed: backbone.layer0.bn.running_mean of the frozen T changed'


def test_weights_that_are_initialized_after_the_load_are_found(monkeypatch):
    init_weights = SR4IR.init_weights

    def overwrite(self):
        init_weights(self)
        torch.nn.init.xavier_uniform_(self.task.head.layers[0].fc.weight)

    monkeypatch.setattr(SR4IR, 'init_weights', overwrite)
    (error,) = results(MOBILENET)['errors']
    assert error.startswith('load_from: CheckFailed: 1 of ') and error.endswith(': head.layers.0.fc.weight')


def test_differences_are_found_in_nested_outputs():
    one, other = dict(a=[torch.ones(2), 1.0]), dict(a=[torch.ones(2), 1.0 + 1e-9])
    assert difference(one, one) == ''
    assert difference(one, other) == '.a[1]: 1 for 1'
    assert difference(one, other, 1e-6) == ''
    assert difference(dict(a=1, b=2), dict(a=1)) == ': only one has b'
    assert difference(dict(a=torch.zeros(3)), dict(a=torch.zeros(2))) == '.a: (3,) for (2,)'


def test_known_limits_have_a_name():
    refusal = 'sr4ir: SR4IRError: X of the task network takes several images for a sample (views)'
    assert cause_of(refusal) == 'several images for a sample'
    assert cause_of('sr4ir: CheckFailed: the SR network did not change') == ''


@pytest.mark.slow
def test_the_sweep_goes_on_where_it_stopped_and_sums_up(models):
    # not a fork of this process, where autograd may have threads after other tests
    command = [sys.executable, '-W', 'ignore', TOOLS / f'{TOOL}.py', *OPTIONS, '--models', models, '--limit', '1']
    env = dict(os.environ, PYTHONPATH=str(TOOLS.parent), OMP_NUM_THREADS='1')
    subprocess.run(command, cwd=models.parent, env=env, check=True)
    assert len(read_rows(models.parent / 'out.csv')) == 1
    rows = sweep(models)
    assert [[row[check] for check in CHECKS] for row in rows] == [['ok'] * 6, ['failed', *'-----']]
    assert rows[0]['configs'] == '2' and rows[0]['same'] == 'mmpretrain::other.py'
    assert rows[1]['cause'] == 'not a model' and rows[1]['error'] == 'the config has no model'
    kept = (models.parent / 'out.csv').read_text()
    assert sweep(models) == rows and (models.parent / 'out.csv').read_text() == kept
    assert [row['key'] for row in sweep(models, '--redo-failed', '--limit', 0)] == ['a']
    sweep(models)
    page = (models.parent / 'out.md').read_text()
    counts = '| mmpretrain | 2 | 1 | 1 ' + 5 * '| 1 of 1 (100.0 %) ' + '|\n'
    assert counts in page
    assert '| mmdet::common/ms-90k_coco.py | bare | not a model | `the config has no model` |' in page
    assert 'Only' not in page


def test_only_the_checks_that_a_row_lacks_are_made(models):
    rows = [dict(key=key, zoo='mmpretrain', config=MOBILENET, configs='1', bare='ok') for key in 'abcd']
    done = dict.fromkeys(CHECKS, 'ok')
    old = dict(sr4ir='failed', error='sr4ir: old', seconds='1000', memory_gb='99.0')
    write_rows([rows[0] | old, *(row | done for row in rows[1:])], models.parent / 'out.csv')
    sweep(models, '--limit', 0)
    page = (models.parent / 'out.md').read_text()
    assert '**Only 3 models that train, a sample, have had all checks**' in page
    assert 'without `identity`, `predict`, `t2s`, `load_from`' in page
    rows = sweep(models)
    assert [row['key'] for row in rows] == list('abcd')
    assert [rows[0][check] for check in CHECKS] == ['ok', 'failed', *['ok'] * 4]
    assert rows[0]['error'] == 'sr4ir: old' and float(rows[0]['seconds']) >= 1000 and rows[0]['memory_gb'] == '99.0'
    assert [row['t2s'] for row in rows] == ['ok'] * 4


@pytest.mark.parametrize(
    'misbehave, options, why',
    [
        pytest.param(lambda: time.sleep(60), ('--timeout', 1), 'time limit of 1 s', marks=pytest.mark.slow),
        pytest.param(
            lambda: torch.ones(3 * 10**8), ('--memory', 0.9), 'memory limit of 0.9 GB', marks=pytest.mark.slow
        ),
        (os.abort, (), 'the process died: SIGABRT'),
    ],
)
def test_a_worker_that_is_killed_leaves_a_row(models, misbehave, options, why, monkeypatch):
    def check(name, done):
        yield dict(bare='ok', params='1.0', size=64)
        kept = misbehave()
        time.sleep(60)
        del kept

    monkeypatch.setattr(zoo_check, 'check_model', check)
    row = sweep(models, '--only', 'mmpretrain::*', *options)[0]
    assert [row[c] for c in CHECKS] == ['ok', 'failed', *'----']
    assert row['error'] == f'sr4ir: {why}' and row['cause'] == 'limit of this machine'
