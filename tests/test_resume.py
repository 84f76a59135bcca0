"""A resumed run ends with the weights of an uninterrupted one, to the last bit."""

import random

import numpy as np
import pytest
import torch
from helpers.toy import EDSR, ToyClassifier, ToyDataset, toy_batch
from helpers.zoo import changed, runner_for, state

from sr4ir_mm.models import SCHEMES, SR4IR


class Augmented(ToyDataset):
    """Data with flips and shifts by the generators that the zoos' transforms use."""

    def __getitem__(self, index: int) -> dict:
        item = super().__getitem__(index)
        image = item['inputs'].flip(-1) if random.random() < 0.5 else item['inputs']
        image = image.int() + int(np.random.randint(-40, 40))
        return dict(item, inputs=image.clamp(0, 255).byte())


class Noise(torch.nn.Module):
    """Noise that the generators of Mixup, CutMix and mosaics draw, of a level that changes now and then."""

    __module__ = 'mmdet.models'

    level, calls = 1.0, 0

    def forward(self, features):
        if not self.training:
            return features
        self.calls += 1
        if self.calls % 2:
            self.level = float(torch.rand(())) + random.random()
        return features * (1 + self.level * np.random.rand())


def model_for(scheme: str, seed: int) -> SR4IR:
    torch.manual_seed(seed)
    task = ToyClassifier()
    task.fc = torch.nn.Sequential(Noise(), torch.nn.Dropout(0.5), task.fc)
    return SR4IR(dict(EDSR), task, scale=4, scheme=scheme, cqmix=dict(grid=4))


def train(tmp_path, name: str, scheme: str, by_epoch: bool, workers: int, sampler: str, counts: int = 1, **kwargs):
    """Six iterations, three epochs of two or two passes over the data; TDP loss after a warm-up of one or two."""
    model = model_for(scheme, seed=1 if kwargs else 0)
    warmup = dict(warmup_epochs=1) if by_epoch else dict(warmup_iters=2)
    cosine = dict(type='CosineAnnealingLR', T_max=6, eta_min=1e-4, by_epoch=False)
    linear = dict(type='LinearLR', start_factor=0.1, end=5, by_epoch=False)
    runner = runner_for(
        model, Augmented(toy_batch(4 if by_epoch else 6)), tmp_path / name,
        loader=dict(num_workers=workers, sampler=dict(type=sampler, shuffle=True),
                    worker_init_fn=dict(type='sr4ir_mm.epoch_worker_init_fn')),
        train_cfg=dict(by_epoch=True, max_epochs=3) if by_epoch else dict(by_epoch=False, max_iters=6),
        optim_wrapper=dict(constructor='sr4ir_mm.SR4IROptimWrapperConstructor',
                           sr=dict(optimizer=dict(type='AdamW', lr=1e-3), accumulative_counts=counts),
                           task=dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9), accumulative_counts=counts)),
        param_scheduler={name: dict(sr=[linear, cosine], task=[cosine])[name] for name in model.scheme.trainable_nets},
        custom_hooks=[dict(type='sr4ir_mm.AlternatingUpdateHook', **warmup)],
        default_hooks=dict(runtime_info=dict(type='sr4ir_mm.DeferredRuntimeInfoHook'),
                           checkpoint=dict(type='CheckpointHook', interval=1 if by_epoch else 3, by_epoch=by_epoch)),
        **kwargs)  # fmt: skip
    before = state(model)
    runner.train()
    assert runner.iter == 6 and changed(model, before)
    if not by_epoch:  # ends its workers now; they would wait for five seconds if the garbage collector did it
        del runner.train_loop.dataloader_iterator
    return runner


def assert_equal(ours, straight) -> None:
    """Assert that nested states are equal to the last bit."""
    if isinstance(straight, dict):
        assert ours.keys() == straight.keys()
        for key, value in straight.items():
            assert_equal(ours[key], value)
    elif isinstance(straight, torch.Tensor):
        assert torch.equal(ours, straight)
    elif isinstance(straight, (list, tuple)):
        assert len(ours) == len(straight)
        for pair in zip(ours, straight):
            assert_equal(*pair)
    else:
        assert ours == straight


def assert_resumes(tmp_path, checkpoint: str, *args) -> None:
    straight = train(tmp_path, 'straight', *args)
    load_from = str(tmp_path / 'straight' / checkpoint)
    resumed = train(tmp_path, 'resumed', *args, resume=True, load_from=load_from)
    assert_equal(resumed.model.state_dict(), straight.model.state_dict())
    assert_equal(resumed.optim_wrapper.state_dict(), straight.optim_wrapper.state_dict())
    assert resumed.optim_wrapper.get_lr() == straight.optim_wrapper.get_lr()


@pytest.mark.parametrize('scheme', SCHEMES)
def test_by_epoch(scheme, tmp_path):
    assert_resumes(tmp_path, 'epoch_1.pth', scheme, True, 0, 'DefaultSampler')


@pytest.mark.parametrize('epoch', [1, 2])
def test_by_epoch_with_workers(epoch, tmp_path):
    assert_resumes(tmp_path, f'epoch_{epoch}.pth', 'SR4IR', True, 1, 'DefaultSampler')


@pytest.mark.parametrize('sampler', ['DefaultSampler', 'InfiniteSampler'])
@pytest.mark.parametrize('workers', [0, 1])
def test_by_iteration(workers, sampler, tmp_path):
    assert_resumes(tmp_path, 'iter_3.pth', 'SR4IR', False, workers, sampler)


@pytest.mark.parametrize('scheme', SCHEMES)
def test_by_iteration_in_every_scheme(scheme, tmp_path):
    assert_resumes(tmp_path, 'iter_3.pth', scheme, False, 0, 'InfiniteSampler')


@pytest.mark.parametrize('scheme', ['SR4IR', 'S+T'])
@pytest.mark.parametrize('by_epoch', [False, True])
@pytest.mark.parametrize('counts', [2, 4])
def test_inside_an_accumulation(counts, by_epoch, scheme, tmp_path):
    """The gradients so far are part of the checkpoint."""
    sampler = 'DefaultSampler' if by_epoch else 'InfiniteSampler'
    assert_resumes(tmp_path, 'epoch_1.pth' if by_epoch else 'iter_3.pth', scheme, by_epoch, 0, sampler, counts)
