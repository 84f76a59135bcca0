"""configs/zoo: the zoo's config stays as it is, and trains with an SR network."""

import math
import re
import sys
import types
from pathlib import Path

import pytest
import torch
from helpers.zoo import Logs, changed, state
from helpers.zoo_data import LENGTH, tiny_run
from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.runner import Runner

CONFIGS = sorted((Path(__file__).parent.parent / 'configs/zoo').glob('*.py'))
configs = pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)


def plain(node):
    """A config without the scope that MMEngine puts on what comes from another package."""
    if isinstance(node, dict):
        return {key: plain(value) for key, value in node.items() if key != '_scope_'}
    return [plain(value) for value in node] if isinstance(node, (list, tuple)) else node


def zoo_name(path: Path) -> str:
    return re.search(r"'(mm\w+::[^']+)'", path.read_text())[1]


def test_a_dozen_across_families():
    assert len(CONFIGS) >= 12
    assert {zoo_name(path).split('::')[0] for path in CONFIGS} == {'mmseg', 'mmdet', 'mmpretrain'}


@configs
def test_only_model_and_optimizers_are_ours(path):
    assert len(path.read_text().splitlines()) <= 10
    cfg, zoo = Config.fromfile(path), get_config(zoo_name(path))
    for key in ('model', 'optim_wrapper', 'param_scheduler'):
        assert plain(cfg[key].pop('task')) == plain(zoo.pop(key)), key
    ours, theirs = plain(cfg.default_hooks.to_dict()), plain(zoo.pop('default_hooks').to_dict())
    own = {'runtime_info', 'alternating', 'class_check', 'task_evaluation'}
    assert {k: v for k, v in ours.items() if k not in own} == {k: v for k, v in theirs.items() if k not in own}
    assert {k: ours[k]['type'] for k in own} == dict(
        runtime_info='sr4ir_mm.DeferredRuntimeInfoHook',
        alternating='sr4ir_mm.AlternatingUpdateHook',
        class_check='sr4ir_mm.ClassCheckHook',
        task_evaluation='sr4ir_mm.TaskEvaluationHook',
    )
    # workers that start with each epoch draw what they would draw in a resumed run
    assert cfg.train_dataloader.pop('worker_init_fn').type == 'sr4ir_mm.epoch_worker_init_fn'
    assert cfg.train_dataloader.pop('persistent_workers') is False
    zoo.train_dataloader.pop('persistent_workers', None)
    assert {'train_dataloader', 'val_evaluator', 'default_scope', 'train_cfg'} <= set(zoo)
    assert {key: plain(cfg[key]) for key in zoo} == plain(zoo.to_dict())


class Watch(Logs):
    """Keep also the weights from before the training."""

    def before_train(self, runner) -> None:
        """Copy them after their initialization."""
        self.before = state(runner.model)


@pytest.fixture
def panoptic(monkeypatch):
    """Stand-in for panopticapi, which is not on the package index: the part that mmdet's loading uses."""
    utils = types.SimpleNamespace(rgb2id=lambda rgb: rgb.astype(int) @ [1, 256, 65536])
    monkeypatch.setitem(sys.modules, 'panopticapi', types.SimpleNamespace(utils=utils))


@pytest.mark.slow
@pytest.mark.timeout(900)  # about 40 s of CPU time, on a machine that may do more
@configs
def test_trains(path, tmp_path, panoptic):
    cfg = tiny_run(path, tmp_path)
    if cfg.val_evaluator.type == 'CocoPanopticMetric':  # needs the whole of panopticapi
        cfg.merge_from_dict(dict(val_dataloader=None, val_evaluator=None, val_cfg=None))
    runner, watch = Runner.from_cfg(cfg), Watch()
    runner.register_hook(watch)
    runner.train()

    assert runner.iter == len(watch.items) == LENGTH
    assert all(math.isfinite(value) for log in watch.items for value in log.values())
    assert ['sr.loss_tdp' in log for log in watch.items] == [False] * 2 + [True] * 18
    assert {name.split('.')[1] for name in watch.items[0] if name.startswith('task.')} == {'sr', 'hr', 'mix'}
    parameters = {name for name, _ in runner.model.named_parameters()}
    assert {name.split('.')[0] for name in changed(runner.model, watch.before) & parameters} == {'sr', 'task'}
    check_zoo_hooks(runner, cfg, watch.items)

    files = list(Path(cfg.work_dir).glob('*_20.pth'))
    assert [file.name.startswith('best_') for file in sorted(files)] == ([True] if cfg.val_evaluator else []) + [False]
    for file in files:
        assert torch.load(file, weights_only=True)['state_dict'].keys() == runner.model.state_dict().keys()
        file.unlink()  # hundreds of megabytes


def check_zoo_hooks(runner: Runner, cfg: Config, logs: list[dict]) -> None:
    """Check that the zoo's own hooks are there, and that those that change the end of the training have done it."""
    wanted = {hook['type'] for hook in cfg.get('custom_hooks') or []}
    assert wanted <= {type(hook).__name__ for hook in runner.hooks}
    if 'YOLOXModeSwitchHook' in wanted:
        assert ['task.hr.loss_l1' in log for log in logs] == [False] * 18 + [True] * 2
    if 'PipelineSwitchHook' in wanted:
        steps = [type(step).__name__ for step in runner.train_dataloader.dataset.pipeline.transforms]
        assert 'RandomResize' in steps and 'CachedMosaic' not in steps
