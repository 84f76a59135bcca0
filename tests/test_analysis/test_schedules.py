"""The learning rates of a training that has not run are those of the training."""

import json
from pathlib import Path

import pytest
from helpers.zoo import make_voc, tiny_config
from mmengine.runner import Runner

from sr4ir_mm.analysis.schedules import find_schedule, plot_schedule
from sr4ir_mm.config import load_config
from sr4ir_mm.config.schemes import load_run


@pytest.mark.parametrize('by_epoch', [True, False])
def test_the_rates_of_the_training(tmp_path, by_epoch, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_voc(Path('voc'))
    steps = [
        dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=2),
        dict(type='MultiStepLR', by_epoch=by_epoch, milestones=[2], gamma=0.1),
    ]
    config = tiny_config(tmp_path, param_scheduler=dict(_delete_=True, task=steps, sr=steps[:1]))
    cfg = load_config(config, {'val_cfg': None, 'val_dataloader': None, 'val_evaluator': None})
    cfg.train_cfg = dict(by_epoch=True, max_epochs=3) if by_epoch else dict(by_epoch=False, max_iters=5)
    cfg.work_dir = 'work'
    schedule = find_schedule(cfg)
    assert not Path('work').exists()
    Runner.from_cfg(cfg).train()
    lines = [json.loads(line) for line in next(Path('work').glob('*/vis_data/scalars.json')).read_text().splitlines()]
    for name, rates in schedule.rates.items():
        assert rates == pytest.approx([line[f'{name}.lr'] for line in lines])
        assert len(set(rates)) > 1
    assert schedule.epoch_length == 2 and len(rates) == (6 if by_epoch else 5)


def test_the_warm_up():
    name, options = 'faster-rcnn_edsr_x4_voc', {'model.task.backbone.depth': 18}
    cfg = load_run(name, None, options)
    schedule = find_schedule(cfg, images=200)
    assert cfg.default_hooks.alternating.warmup_ratio == 0.1
    assert schedule.warm_up == len(schedule.rates['sr']) // 10 > 0
    assert len(plot_schedule(schedule).axes) == 2
    baseline = find_schedule(load_run(name, 'l2t', options), images=200)
    assert baseline.warm_up == 0 and list(baseline.rates) == ['task'] and len(plot_schedule(baseline).axes) == 1
