"""Three iterations of the paper's own training loop, reproduced by a Runner with our hook, wrappers and schedules."""

from functools import partial

import numpy as np
import pytest
import torch
from helpers.toy import EDSR, ToyClassifier
from helpers.trajectory import (
    EDSR_KEYS,
    Trajectory,
    assert_images,
    assert_parameters,
    assert_psnr,
    copies,
    follow,
    losses,
    stored_grids,
    take,
    total_norm,
)
from mmengine.structures import BaseDataElement

from sr4ir_mm.models import SR4IR

RTOL = 1e-5  # INDEX.md: cls_toy
CLS_KEYS = {'conv1': 'backbone.0', 'bn1': 'backbone.1', 'conv2': 'backbone.3', 'bn2': 'backbone.4', 'fc': 'fc'}


def batches(npz) -> list[dict]:
    base = npz['batch_base_u8']
    # the arrays are RGB; loaders of the zoos give BGR
    return [
        dict(
            inputs=[torch.from_numpy(image[::-1].copy()) for image in images],
            data_samples=[BaseDataElement(label=int(label)) for label in labels],
        )
        for images, labels in zip((base, base[..., ::-1], base[::-1, :, ::-1]), npz['labels'])
    ]


@pytest.fixture
def run(fixture, tmp_path, monkeypatch):
    def run(warm_up: bool) -> Trajectory:
        npz = fixture('traj_cls_toy')
        sr = dict(EDSR, rgb_std=[1 / 255] * 3)  # EDSR's own range is 0 to 255
        model = SR4IR(sr, ToyClassifier(), scale=4, tdp=dict(layers=dict(backbone=1.0)), cqmix=dict(grid=4))
        model.sr.load_state_dict(take(npz, 'init_sr/', EDSR_KEYS))
        model.task.load_state_dict(take(npz, 'init_cls/', CLS_KEYS))
        optim_wrapper = dict(
            constructor='sr4ir_mm.SR4IROptimWrapperConstructor',
            sr=dict(optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0)),
            task=dict(optimizer=dict(type='SGD', lr=0.03, momentum=0.9, weight_decay=1e-4)))  # fmt: skip
        cosine = partial(
            dict,
            type='sr4ir_mm.BasicSRCosineRestartLR',
            periods=[1, 3],
            restart_weights=[1, 1],
            convert_to_iter_based=True,
        )
        schedules = dict(sr=cosine(eta_min=1e-6), task=cosine(eta_min=1e-4))
        return follow(monkeypatch, tmp_path, model, batches(npz), stored_grids(npz), optim_wrapper, schedules,
                      warm_up=warm_up, keep=copies)  # fmt: skip

    return run


def assert_losses(logs: list, expected: dict) -> None:
    for name, iteration, ours, theirs in losses(logs, expected):
        np.testing.assert_allclose(ours, theirs, rtol=RTOL, err_msg=f'{name} of iteration {iteration}')


def assert_state(result: Trajectory, expected: dict, init_checks: dict) -> None:
    """Check the nets after each step, and the images of the SR network."""
    keys = dict(sr=EDSR_KEYS, task=CLS_KEYS)
    assert_parameters(result.steps, expected['steps'], keys, init_checks, 1e-4)
    assert_psnr(result.images, expected['psnr_batch'])
    for step, theirs in zip(result.steps, expected['steps']):
        assert step.lr == pytest.approx(theirs['lr'], rel=1e-12)
        assert total_norm(step.grads) == pytest.approx(theirs['grad_norm'], rel=RTOL)
        assert total_norm(step.update) == pytest.approx(theirs['update_norm'], rel=1e-4)


def test_toy_classifier_follows_the_paper_code(run, fixture):
    result = run(warm_up=False)
    npz, expected = fixture('traj_cls_toy'), fixture('traj_cls_toy.json')
    assert_losses(result.logs, expected['losses'])
    assert [step.net for step in result.steps] == ['sr', 'task'] * 3
    for i, step in enumerate(result.steps):
        theirs, keys = ('sr', EDSR_KEYS) if step.net == 'sr' else ('cls', CLS_KEYS)
        norm = expected['steps'][i]['grad_norm']
        for kind, ours, size in (('grad', step.grads, norm), ('after', step.state, None)):
            reference = take(npz, f'it{i // 2}/{theirs}_{kind}/', keys)
            assert reference and reference.keys() == ours.keys()
            for key, value in reference.items():
                # a bias gradient is a sum with much cancellation: its noise is that of the whole gradient
                error = (ours[key] - value).double().norm().item()
                assert error <= RTOL * (size or value.double().norm().item()), f'step {i} {kind} {key}: {error}'
    assert_state(result, expected, expected['init_checks'])
    assert_images(result.images[0], npz, RTOL)


def test_no_tdp_loss_during_the_warm_up(run, fixture):
    result = run(warm_up=True)
    expected = fixture('traj_cls_toy_warmup.json')
    assert_state(result, expected, fixture('traj_cls_toy.json')['init_checks'])
    expected = expected['losses']
    assert 'l_tdp' not in expected or not any(expected['l_tdp'])
    assert all('sr.loss_tdp' not in log for log in result.logs)
    assert_losses(result.logs, {name: values for name, values in expected.items() if name != 'l_tdp'})
