"""The Runner of tools/train.py in a distributed run; what it writes and when is in test_runs_apart.py."""

import pytest
from helpers.toy import EDSR, ToyClassifier, ToyDataset, toy_batch
from helpers.zoo import runner_for

from sr4ir_mm.engine.runner import LateDumpRunner
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR


@pytest.fixture
def runner(tmp_path):
    """A runner that takes itself for one of several."""
    model = SR4IR(dict(EDSR), ToyClassifier(), scale=4)
    train_cfg = dict(by_epoch=True, max_epochs=1)
    runner = runner_for(model, ToyDataset(toy_batch()), tmp_path, train_cfg=train_cfg, kind=LateDumpRunner)
    runner._distributed = True
    return runner


@pytest.mark.parametrize('kind', ['MMDistributedDataParallel', 'MMFullyShardedDataParallel', 'NoSuchWrapper'])
def test_other_wrappers_are_refused(kind, runner):
    with pytest.raises(SR4IRError, match=f"model_wrapper_cfg.type='{kind}' is for a network with one loss"):
        runner.wrap_model(dict(type=kind), runner.model)


@pytest.mark.parametrize('cfg', [None, {}, dict(type='MMSeparateDistributedDataParallel')])
def test_each_network_is_wrapped_on_its_own(cfg, runner, monkeypatch):
    wrapped = []
    monkeypatch.setattr('mmengine.runner.Runner.wrap_model', lambda self, cfg, model: wrapped.append(cfg))
    runner.wrap_model(cfg, runner.model)
    assert wrapped[0]['type'] == 'MMSeparateDistributedDataParallel'
