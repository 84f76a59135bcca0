"""Three iterations of the paper's own training loop, reproduced by a Runner with our hook, wrappers and schedules."""

from functools import partial

import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement
from toy import EDSR, ToyClassifier, ToyDataset

from sr4ir_mm.models import SR4IR

RTOL = 1e-5  # INDEX.md: cls_toy
EDSR_KEYS = {
    'head.0': 'conv_first', 'body.0.body.0': 'body.0.conv1', 'body.0.body.2': 'body.0.conv2',
    'body.1.body.0': 'body.1.conv1', 'body.1.body.2': 'body.1.conv2', 'body.2': 'conv_after_body',
    'tail.0.0': 'upsample.0.upsample_conv', 'tail.0.2': 'upsample.1.upsample_conv', 'tail.1': 'conv_last',
}  # fmt: skip
CLS_KEYS = {'conv1': 'backbone.0', 'bn1': 'backbone.1', 'conv2': 'backbone.3', 'bn2': 'backbone.4', 'fc': 'fc'}


def take(npz, prefix: str, keys: dict[str, str]) -> dict[str, torch.Tensor]:
    """The tensors under a prefix of the fixture, under our names."""
    state = {}
    for name in npz.files:
        module, _, parameter = name.removeprefix(prefix).rpartition('.')
        if name.startswith(prefix) and module in keys:
            state[f'{keys[module]}.{parameter}'] = torch.from_numpy(npz[name])
    return state


def loader(npz) -> dict:
    base = npz['batch_base_u8']
    images = np.concatenate([base, base[..., ::-1], base[::-1, :, ::-1]])
    samples = [BaseDataElement(label=int(label)) for label in npz['labels'].ravel()]
    # the arrays are RGB, as loaders of the zoos give BGR
    inputs = [torch.from_numpy(image[::-1].copy()) for image in images]
    dataset = ToyDataset(dict(inputs=inputs, data_samples=samples))
    return dict(batch_size=4, num_workers=0, dataset=dataset, sampler=dict(type='DefaultSampler', shuffle=False))


@pytest.fixture
def run(fixture, tmp_path, monkeypatch):
    def run(warmup_epochs: int) -> tuple[SR4IR, list, list]:
        npz = fixture('traj_cls_toy')
        sr = dict(EDSR, rgb_std=[1 / 255] * 3)  # EDSR's own range is 0 to 255
        tdp, cqmix = dict(layers=dict(backbone=1.0)), dict(grid=4)
        model = SR4IR(sr, ToyClassifier(), scale=4, tdp=tdp, cqmix=cqmix)
        model.sr.load_state_dict(take(npz, 'init_sr/', EDSR_KEYS))
        model.task.load_state_dict(take(npz, 'init_cls/', CLS_KEYS))
        masks = iter(torch.from_numpy(npz['mask_grids']).float()[:, :, None])
        mix = model.cqmix.forward
        monkeypatch.setattr(model.cqmix, 'forward', lambda sr, hr: mix(sr, hr, next(masks)))
        optim_wrapper = dict(
            constructor='sr4ir_mm.SR4IROptimWrapperConstructor',
            sr=dict(optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0)),
            task=dict(optimizer=dict(type='SGD', lr=0.03, momentum=0.9, weight_decay=1e-4)))  # fmt: skip
        cosine = partial(
            dict, type='sr4ir_mm.CosineRestartLR', periods=[1, 3], restart_weights=[1, 1], convert_to_iter_based=True
        )
        runner = Runner(
            model, str(tmp_path), train_dataloader=loader(npz), train_cfg=dict(by_epoch=True, max_epochs=1),
            optim_wrapper=optim_wrapper, param_scheduler=dict(sr=cosine(eta_min=1e-6), task=cosine(eta_min=1e-4)),
            custom_hooks=[dict(type='sr4ir_mm.AlternatingUpdateHook', warmup_epochs=warmup_epochs)],
            default_hooks=dict(runtime_info=dict(type='sr4ir_mm.RuntimeInfoHook'), checkpoint=None),
            default_scope='mmengine', experiment_name=tmp_path.name,
        )  # fmt: skip
        steps, logs = [], []
        record_steps(monkeypatch, runner, model, steps)
        train_step = model.train_step
        monkeypatch.setattr(model, 'train_step', lambda *a, **k: logs.append(train_step(*a, **k)) or logs[-1])
        runner.train()
        return model, steps, logs

    return run


def record_steps(monkeypatch, runner: Runner, model: SR4IR, steps: list) -> None:
    """Note the gradients before and the state after each optimizer step."""
    build = runner.build_optim_wrapper

    def build_and_watch(cfg):
        wrappers = build(cfg)
        for name, wrapper in wrappers.items():
            monkeypatch.setattr(wrapper.optimizer, 'step', partial(watched, wrapper.optimizer.step, name, wrapper))
        return wrappers

    def watched(step, name, wrapper, **kwargs):
        net = getattr(model, name)
        grads = {key: p.grad.clone() for key, p in net.named_parameters()}
        before = {key: p.detach().clone() for key, p in net.named_parameters()}
        lr = [group['lr'] for group in wrapper.param_groups]
        step(**kwargs)
        update = {key: p.detach() - before[key] for key, p in net.named_parameters()}
        steps.append((name, lr, grads, update, {key: value.clone() for key, value in net.state_dict().items()}))

    monkeypatch.setattr(runner, 'build_optim_wrapper', build_and_watch)


LOSSES = {'sr.loss_pix': 'l_pix', 'sr.loss_tdp': 'l_tdp', 'task.sr.loss': 'l_ce_sr', 'task.hr.loss': 'l_ce_hr',
          'task.mix.loss': 'l_ce_cqmix'}  # fmt: skip


def assert_losses(logs: list, expected: dict) -> None:
    for ours, theirs in LOSSES.items():
        if theirs in expected:
            np.testing.assert_allclose([float(log[ours]) for log in logs], expected[theirs], rtol=RTOL, err_msg=ours)


def test_toy_classifier_follows_the_paper_code(run, fixture):
    _, steps, logs = run(warmup_epochs=0)
    npz, expected = fixture('traj_cls_toy'), fixture('traj_cls_toy.json')
    assert_losses(logs, expected['losses'])
    assert [name for name, *_ in steps] == ['sr', 'task'] * 3
    for i, (name, lr, grads, update, state) in enumerate(steps):
        theirs, keys = ('sr', EDSR_KEYS) if name == 'sr' else ('cls', CLS_KEYS)
        assert lr == pytest.approx(expected['steps'][i]['lr'], rel=1e-12)
        norm = expected['steps'][i]['grad_norm']
        for kind, ours, size in (('grad', grads, norm), ('after', state, None)):
            reference = take(npz, f'it{i // 2}/{theirs}_{kind}/', keys)
            assert reference and reference.keys() == ours.keys()
            for key, value in reference.items():
                # a bias gradient is a sum with much cancellation: its noise is that of the whole gradient
                error = (ours[key] - value).double().norm().item()
                assert error <= RTOL * (size or value.double().norm().item()), f'step {i} {kind} {key}: {error}'
        assert total_norm(grads) == pytest.approx(norm, rel=RTOL)
        assert total_norm(update) == pytest.approx(expected['steps'][i]['update_norm'], rel=1e-4)


def total_norm(tensors: dict) -> float:
    return torch.stack([t.double().norm() for t in tensors.values()]).norm().item()


def test_no_tdp_loss_during_the_warm_up(run, fixture):
    _, _, logs = run(warmup_epochs=1)
    expected = fixture('traj_cls_toy_warmup.json')['losses']
    assert 'l_tdp' not in expected or not any(expected['l_tdp'])
    assert all('sr.loss_tdp' not in log for log in logs)
    assert_losses(logs, {name: values for name, values in expected.items() if name != 'l_tdp'})
