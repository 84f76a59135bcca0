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
from zoo_report import cause_of, read_rows

from sr4ir_mm.models import SR4IR

TOOL = '../.dev_scripts/zoo_sweep/zoo_sweep'
MOBILENET = 'mmpretrain::mobilenet_v3/mobilenet-v3-small_8xb128_in1k.py'
OPTIONS = ('--out', 'out.csv', '--logs', 'logs')
CHECKS = ('bare', 'sr4ir', 'identity', 'predict')


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
    assert [rows[check] for check in CHECKS] == ['ok'] * 4 and not rows['errors']
    assert (rows['size'], rows['params']) == (64, '2.5')


@pytest.mark.parametrize('broken, failed', [('H->T', ['identity', 'predict']), ('SR4IR', ['sr4ir'])])
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
    assert results(MOBILENET)['errors'] == ['sr4ir: CheckFailed: the SR network did not change']


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


def test_the_sweep_goes_on_where_it_stopped_and_sums_up(models):
    # not a fork of this process, where autograd may have threads after other tests
    command = [sys.executable, '-W', 'ignore', TOOLS / f'{TOOL}.py', *OPTIONS, '--models', models, '--limit', '1']
    env = dict(os.environ, PYTHONPATH=str(TOOLS.parent), OMP_NUM_THREADS='1')
    subprocess.run(command, cwd=models.parent, env=env, check=True)
    assert len(read_rows(models.parent / 'out.csv')) == 1
    rows = sweep(models)
    assert [[row[check] for check in CHECKS] for row in rows] == [['ok'] * 4, ['failed', '-', '-', '-']]
    assert rows[0]['configs'] == '2' and rows[0]['same'] == 'mmpretrain::other.py'
    assert rows[1]['cause'] == 'not a model' and rows[1]['error'] == 'the config has no model'
    kept = (models.parent / 'out.csv').read_text()
    assert sweep(models) == rows and (models.parent / 'out.csv').read_text() == kept
    assert [row['key'] for row in sweep(models, '--redo-failed', '--limit', 0)] == ['a']
    sweep(models)
    page = (models.parent / 'out.md').read_text()
    counts = '| mmpretrain | 2 | 1 | 1 | 1 of 1 (100.0 %) | 1 of 1 (100.0 %) | 1 of 1 (100.0 %) |'
    assert counts in page
    assert '| mmdet::common/ms-90k_coco.py | bare | not a model | `the config has no model` |' in page


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
    def check(name):
        yield dict(bare='ok', params='1.0', size=64)
        kept = misbehave()
        time.sleep(60)
        del kept

    monkeypatch.setattr(zoo_check, 'check_model', check)
    row = sweep(models, '--only', 'mmpretrain::*', *options)[0]
    assert [row[c] for c in CHECKS] == ['ok', 'failed', '-', '-']
    assert row['error'] == f'sr4ir: {why}' and row['cause'] == 'limit of this machine'
