"""A training under H->T is the training of the bare network, to the last bit, however special the config is.

That is so in the memory format of the bare network. channels_last, the default of a mix, changes the order of sums.
"""

import math
from pathlib import Path

import pytest
import torch
from helpers.zoo_special import CONFIGS
from helpers.zoo_trainings import LENGTH, Erase, small_config, train
from mmengine.config import Config
from test_identity import assert_same

from sr4ir_mm.config import mix

#: like the bare training: layout of the memory, and scores of a detector that finds nothing (0 in a mix)
LIKE_BARE = {'model.channels_last': False, 'default_hooks.task_evaluation': None}
EMA = ('yolox', 'rtmdet', 'rtmdet-ins', 'switch-recipe-ema', 'convnext-ema', 'deit-ema', 't2t-ema', 'hornet-ema')


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """Folder of the data sets, which are written when a config asks for them."""
    return tmp_path_factory.mktemp('data')


def run_bare(name: str, data, tmp_path) -> tuple[Path, dict]:
    """Train the bare network of a small config; return the config's file and what the training did."""
    zoo, changes, *options = CONFIGS[name]
    path = tmp_path / 'bare.py'
    small_config(zoo, data, changes, *options).dump(path)
    return path, train(Config.fromfile(path), tmp_path / 'bare', within=False)


@pytest.mark.slow
@pytest.mark.parametrize('name', CONFIGS)
def test_special_training(name, data, tmp_path):
    path, bare = run_bare(name, data, tmp_path)
    check_training(bare)
    assert ('ema_state_dict' in bare['checkpoint']) == (name in EMA)
    for key, value in train(mix(str(path), None, scheme='H->T', **LIKE_BARE), tmp_path / 'h2t', within=True).items():
        assert_same(value, bare[key], key)
    start = tmp_path / 'start.pth'
    torch.save(dict(state_dict=bare['start']), start)
    cfg = mix(str(path), None, scheme='H->T', load_from=str(start), **LIKE_BARE)
    for key, value in train(cfg, tmp_path / 'load_from', Erase(), within=True).items():
        assert_same(value, bare[key], f'load_from: {key}')


@pytest.mark.slow
@pytest.mark.parametrize(
    ('change', 'found_in'),
    [
        ({'optim_wrapper.task.optimizer.weight_decay': 1e-3}, 'options'),
        ({'optim_wrapper.task.accumulative_counts': 2}, 'losses'),
        ({'model.task.data_preprocessor.mean': [0, 0, 0]}, 'inputs'),
        ({'custom_hooks': [dict(type='EMAHook')]}, 'predictions'),
        ({'randomness.seed': 1}, 'start'),
    ],
)
def test_a_difference_is_found(change, found_in, data, tmp_path):
    path, bare = run_bare('label-smoothing', data, tmp_path)
    cfg = mix(str(path), None, scheme='H->T', **LIKE_BARE)
    cfg.merge_from_dict(change)
    with pytest.raises(AssertionError, match=f'^{found_in}'):
        for key, value in train(cfg, tmp_path / 'h2t', within=True).items():
            assert_same(value, bare[key], key)


def check_training(run: dict) -> None:
    """Check that a bare training is one: its weights change, its losses are finite, and it is validated."""
    first, last = run['start'], run['weights']
    assert any(not torch.equal(first[name], last[name]) for name in first.keys() & last.keys())
    assert len(run['losses']) == len(run['options']) >= LENGTH
    assert all(math.isfinite(value) for losses in run['losses'] for value in losses.values())
    assert run['predictions'] and run['metrics'] and run['inputs']
