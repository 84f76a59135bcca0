"""Fast defaults of a run."""

import pytest
import torch
from helpers.toy import EDSR, ToyClassifier, ToyDataset, toy_batch
from helpers.zoo import runner_for
from mmengine.config import Config
from mmengine.runner import Runner

from sr4ir_mm.engine.fast_runner import FastRunner
from sr4ir_mm.engine.runner import LateDumpRunner
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR
from sr4ir_mm.models.compilation import CompiledForward


@pytest.mark.parametrize(
    ('gpu', 'given', 'expected'),
    [(True, {}, dict(pin_memory=True)), (True, dict(pin_memory=False), dict(pin_memory=False)), (False, {}, {})],
)
def test_batches_are_pinned_for_a_gpu(monkeypatch, gpu, given, expected):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: gpu)
    monkeypatch.setattr(Runner, 'build_dataloader', staticmethod(lambda cfg, *args, **kwargs: (cfg, args, kwargs)))
    cfg = dict(batch_size=1, **given)
    assert FastRunner.build_dataloader(cfg, seed=0) == (dict(batch_size=1, **expected), (), dict(seed=0))
    assert cfg == dict(batch_size=1, **given)  # the config stays one for any machine


@pytest.mark.parametrize('entry', ['max-autotune', 1])
def test_another_entry_compile_is_refused(tmp_path, entry):
    """As a mode it would have no effect."""
    model = SR4IR(dict(EDSR), ToyClassifier(), scale=4, tdp=dict(layers=dict(backbone=1.0)))
    train_cfg = dict(by_epoch=True, max_epochs=1)
    with pytest.raises(SR4IRError, match='compile='):
        data, cfg = ToyDataset(toy_batch()), Config(dict(compile=entry))
        runner_for(model, data, tmp_path, train_cfg=train_cfg, kind=LateDumpRunner, cfg=cfg)


@pytest.mark.parametrize('entry', [None, False, dict(backend='eager')])
def test_the_entry_compile_is_for_the_networks(tmp_path, entry, monkeypatch):
    """MMEngine would compile the iteration."""
    model = SR4IR(dict(EDSR), ToyClassifier(), scale=4, tdp=dict(layers=dict(backbone=1.0)))
    names = list(model.state_dict())
    train_cfg = dict(by_epoch=True, max_epochs=1)
    cfg = Config(dict(compile=entry))
    runner = runner_for(model, ToyDataset(toy_batch()), tmp_path, train_cfg=train_cfg, kind=LateDumpRunner, cfg=cfg)
    nets = (model.sr, model.task.backbone)
    assert [isinstance(net.forward, CompiledForward) for net in nets] == [bool(entry)] * 2
    runner.train()
    assert 'train_step' not in vars(model) and list(model.state_dict()) == names
