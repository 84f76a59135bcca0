import random
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import nn

from sr4ir_mm.engine import AlternatingUpdateHook
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SCHEMES


class Recorder(BaseModel):
    """A model that notes what it finds in each iteration."""

    scheme = SCHEMES['SR4IR']

    def __init__(self) -> None:
        super().__init__()
        self.sr, self.task = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
        self.tdp_active = None
        self.found = []

    def forward(self, *args, **kwargs):
        raise NotImplementedError

    def train_step(self, data, optim_wrapper):
        before = {name: getattr(self, name).weight.item() for name in self.scheme.trainable_nets}
        for name in before:
            optim_wrapper[name].update_params(getattr(self, name).weight.sum())
        stepped = [name for name in before if getattr(self, name).weight.item() != before[name]]
        self.found.append(dict(tdp=self.tdp_active, stepped=stepped, draw=torch.rand(1).item(), data=data))
        return {}


class Draws(torch.utils.data.Dataset):
    """Samples that hold what an augmentation in the main process would draw."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> dict:
        return dict(value=(random.random(), np.random.rand(), torch.rand(1).item()))


@pytest.fixture
def train(tmp_path, monkeypatch):
    monkeypatch.setattr(Runner, '_log_env', lambda *args: None)  # which calls compilers

    def train(
        iterations: int = 1,
        seed: int = 0,
        counts: int = 1,
        train_cfg: dict | None = None,
        hooks: list[dict] | None = None,
        **hook,
    ) -> list[dict]:
        """Train for epochs of so many iterations."""
        wrapper = dict(optimizer=dict(type='SGD', lr=0.1))
        train.runs += 1
        runner = Runner(
            Recorder(), str(tmp_path), experiment_name=f'{tmp_path.name}{train.runs}', default_scope='mmengine',
            train_dataloader=dict(
                batch_size=1, num_workers=0, dataset=Draws(iterations),
                sampler=dict(type='DefaultSampler', shuffle=False),
            ),
            train_cfg=dict(by_epoch=True, max_epochs=1) if train_cfg is None else train_cfg,
            optim_wrapper=dict(
                constructor='sr4ir_mm.SR4IROptimWrapperConstructor',
                sr=wrapper, task=dict(wrapper, accumulative_counts=counts),
            ),
            custom_hooks=[
                dict(type='sr4ir_mm.AlternatingUpdateHook', **kwargs) for kwargs in ([hook] if hooks is None else hooks)
            ], randomness=dict(seed=seed),
            default_hooks=dict(runtime_info=None, logger=None, checkpoint=None, param_scheduler=None),
            log_level='ERROR',
        )  # fmt: skip
        runner.train()
        return runner.model.found

    train.runs = 0
    return train


@pytest.mark.parametrize('task, warmup', [('seg', 10), ('det', 3), ('cls', 20)])
def test_tdp_loss_starts_when_the_paper_code_starts_it(fixture, train, task, warmup):
    expected = fixture('schedules')[f'{task}_tdp_active_per_epoch'].tolist()
    found = train(train_cfg=dict(by_epoch=True, max_epochs=len(expected)), warmup_epochs=warmup)
    assert [it['tdp'] for it in found] == expected
    assert expected.index(True) == warmup


@pytest.mark.parametrize('epochs, per_epoch, ratio, first', [
    (100, 3, 0.1, 30), (30, 7, 0.1, 21), (28, 3, 1 / 7, 12), (8, 3, 1 / 8, 3), (6, 5, 1 / 6, 5), (3, 7, 1 / 3, 7),
    (1, 3, 0.1, 0), (1, 15, 0.1, 1),
])  # fmt: skip
def test_warm_up_as_a_share_of_the_run(epochs, per_epoch, ratio, first):
    """Those of the schedules are whole epochs in spite of rounding, and shrink with the run."""
    runner = SimpleNamespace(max_iters=epochs * per_epoch)
    assert AlternatingUpdateHook(warmup_ratio=ratio).first_iter(runner) == first


EPOCHS, ITERATIONS = dict(by_epoch=True, max_epochs=2), dict(by_epoch=False, max_iters=4)


@pytest.mark.parametrize('loop, hook, message', [
    (EPOCHS, dict(warmup_epochs=2), 'warm-up of 2 epochs .* as long as the whole run'),
    (EPOCHS, dict(warmup_epochs=9, warmup_ratio=0.1), 'warm-up of 9 epochs'),
    (EPOCHS, dict(warmup_iters=4), 'warm-up of 4 iterations .* as long'),
    (ITERATIONS, dict(warmup_iters=4), 'warm-up of 4 iterations'),
    (ITERATIONS, dict(warmup_epochs=1), 'warmup_epochs=1 counts epochs, but train_cfg counts iterations'),
])  # fmt: skip
def test_a_warm_up_that_does_not_end(train, loop, hook, message):
    with pytest.raises(SR4IRError, match=message):
        train(iterations=2, train_cfg=loop, **hook)


def test_warm_ups_that_end(train, monkeypatch):
    for loop, hook, off in (
        (EPOCHS, dict(warmup_epochs=1, warmup_ratio=0.9), 2),  # a number replaces the share
        (EPOCHS, dict(warmup_epochs=0, warmup_ratio=1.0), 0),
        (ITERATIONS, dict(warmup_epochs=0, warmup_iters=3), 3),
        (ITERATIONS, dict(warmup_ratio=1.0), 4),  # asked for
    ):
        assert [it['tdp'] for it in train(iterations=2, train_cfg=loop, **hook)] == [False] * off + [True] * (4 - off)
    monkeypatch.setattr(Recorder, 'scheme', SCHEMES['S->T'])  # has no TDP loss
    train(iterations=2, train_cfg=EPOCHS, warmup_epochs=9)


def test_warm_up_in_iterations(train):
    found = train(iterations=2, train_cfg=dict(by_epoch=False, max_iters=5), warmup_iters=3)
    assert [it['tdp'] for it in found] == [False, False, False, True, True]


def test_accumulation_of_each_net_and_its_remainder(train):
    """Iterations 3 and 6 end an accumulation of three, 8 ends the run; MMEngine would forget the last two."""
    found = train(iterations=8, counts=3)
    assert all('sr' in it['stepped'] for it in found)
    assert [i for i, it in enumerate(found, 1) if 'task' in it['stepped']] == [3, 6, 8]


def test_random_numbers_are_a_function_of_seed_and_counters(train):
    two_epochs = dict(by_epoch=True, max_epochs=2)
    first, again, other = (train(3, seed=seed, train_cfg=two_epochs) for seed in (0, 0, 1))
    draws = [it['draw'] for it in first]
    assert len(set(draws)) == 6
    assert [it['draw'] for it in again] == draws
    assert not set(draws) & {it['draw'] for it in other}
    # the iterations of another number of samples per epoch
    assert [it['draw'] for it in train(6)] == draws


def test_data_of_the_main_process_are_a_function_of_the_epoch(train):
    """Whatever was drawn in the epoch before."""
    runs = {n: [it['data'] for it in train(n, train_cfg=dict(by_epoch=True, max_epochs=2))] for n in (2, 3)}
    assert runs[2][2] == runs[3][3]
    assert runs[2][0] == runs[3][0] != runs[2][2]


def test_a_validation_leaves_the_random_numbers_of_the_data(monkeypatch):
    """Also the gallery of a retriever, whose data loader draws a seed."""
    monkeypatch.setattr('sr4ir_mm.engine.alternating_hook.prepare_evaluation', lambda *args: torch.rand(1))
    hook = AlternatingUpdateHook()
    runner = SimpleNamespace(model=nn.Identity(), val_evaluator=None, iter=3, max_iters=9, seed=0)
    hook.run_state = SimpleNamespace()
    before = torch.get_rng_state()
    hook.before_val(runner)
    hook.after_val(runner)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize('iteration, length, is_early', [(0, 20, True), (1, 20, True), (2, 20, False), (0, 0, False)])
def test_images_of_the_first_tenth_of_a_training_are_not_judged(iteration, length, is_early, monkeypatch):
    """A validation without a training has no length."""
    found = []
    monkeypatch.setattr('sr4ir_mm.engine.alternating_hook.prepare_evaluation', lambda *args: found.append(args[2]))
    hook = AlternatingUpdateHook()
    hook.run_state = SimpleNamespace()
    hook.before_val(SimpleNamespace(model=nn.Identity(), val_evaluator=None, iter=iteration, max_iters=length, seed=0))
    assert found == [is_early]


@pytest.mark.parametrize(
    'hooks, words', [([], 'has no AlternatingUpdateHook'), ([{}, {}], 'two AlternatingUpdateHooks')]
)
def test_a_training_without_the_hook_or_with_two_is_refused(train, hooks, words):
    with pytest.raises(SR4IRError, match=words):
        train(hooks=hooks)


def test_one_optimizer_for_both_networks_is_refused(tmp_path):
    runner = SimpleNamespace(optim_wrapper=OptimWrapper(torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)))
    with pytest.raises(SR4IRError, match='one optimizer wrapper for each network'):
        AlternatingUpdateHook().before_train(runner)


def test_custom_hooks_do_not_replace_the_hook_of_the_configs():
    base = Path(__file__).parents[2] / 'configs/_base_/default_runtime.py'
    cfg = Config.fromfile(base)
    cfg.merge_from_dict(dict(custom_hooks=[dict(type='EMAHook')]))
    assert 'sr4ir_mm.AlternatingUpdateHook' in [hook.type for hook in cfg.default_hooks.values()]
