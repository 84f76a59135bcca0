"""Runs of our Runner in comparison with the fixtures ``traj_*``, three iterations of the paper's training loop."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.runner import Runner
from torch import Tensor

from helpers.toy import ToyDataset
from sr4ir_mm.evaluation import SRQuality
from sr4ir_mm.models import SR4IR

#: modules of the paper's EDSR, as mmagic names them
EDSR_KEYS = {
    'head.0': 'conv_first', 'body.0.body.0': 'body.0.conv1', 'body.0.body.2': 'body.0.conv2',
    'body.1.body.0': 'body.1.conv1', 'body.1.body.2': 'body.1.conv2', 'body.2': 'conv_after_body',
    'tail.0.0': 'upsample.0.upsample_conv', 'tail.0.2': 'upsample.1.upsample_conv', 'tail.1': 'conv_last',
}  # fmt: skip


def take(npz, prefix: str, keys: dict[str, str]) -> dict[str, Tensor]:
    """Return the tensors of a fixture whose names have a prefix, by our names."""
    names = [name for name in npz.files if name.startswith(prefix)]
    return rename({name.removeprefix(prefix): torch.from_numpy(npz[name]) for name in names}, keys)


def rename(values: dict[str, Any], keys: dict[str, str]) -> dict[str, Any]:
    """Return the values of parameters by our names; those of other modules are left out."""
    parts = {name: name.rpartition('.') for name in values}
    return {f'{keys[m]}.{parameter}': values[name] for name, (m, _, parameter) in parts.items() if m in keys}


def stored_grids(npz) -> Tensor:
    """Return the patch masks of a fixture, iterations x N x 1 x grid x grid."""
    return torch.from_numpy(npz['mask_grids']).float()[:, :, None]


class Torch21Random:
    """Random numbers as PyTorch 2.1.2 with MKL draws them on a CPU; later releases draw others from the same seed."""

    def __init__(self, seed: int) -> None:
        self.bits = np.random.MT19937()
        self.bits._legacy_seeding(seed)

    def bernoulli(self, shape: tuple[int, ...], prob: float) -> Tensor:
        """``torch.empty(shape).bernoulli_(prob)``: MKL's generator MCG31, seeded by the next 32 bits."""
        modulus, factor = 2**31 - 1, 1132489760
        values = np.array([self.bits.random_raw() % modulus or 1])
        while values.size < np.prod(shape):
            values = np.concatenate([values, values * factor % modulus])
            factor = factor * factor % modulus
        return torch.from_numpy(values[: np.prod(shape)] / modulus < prob).view(shape).float()

    def grid(self, *shape: int) -> Tensor:
        """A patch mask as the paper's code draws it: ``randn(shape).bernoulli_(0.5)``."""
        self.bits.random_raw(int(np.prod(shape)))
        return self.bernoulli(shape, 0.5)

    def choice(self, items: list) -> Any:
        """``items[int(torch.rand(1) * len(items))]``."""
        return items[(self.bits.random_raw() % 2**24) * len(items) >> 24]

    def randperm(self, n: int, **kwargs) -> Tensor:
        """``torch.randperm(n)``."""
        order = list(range(n))
        for i, bits in enumerate(self.bits.random_raw(max(n - 1, 0)).tolist()):
            j = i + bits % (n - i)
            order[i], order[j] = order[j], order[i]
        return torch.tensor(order, dtype=torch.int64)


def copies(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def norms(tensors: dict[str, Tensor]) -> dict[str, float]:
    return {name: tensor.detach().double().norm().item() for name, tensor in tensors.items()}


def total_norm(values: dict[str, Any]) -> float:
    return torch.stack([torch.as_tensor(v, dtype=torch.float64).norm() for v in values.values()]).norm().item()


@dataclass
class Step:
    """One step of an optimizer; tensors by name as ``keep`` left them."""

    net: str
    lr: list[float]
    grads: dict[str, Any]
    update: dict[str, Any]
    state: dict[str, Any]


@dataclass
class Trajectory:
    """What a run did; ``images`` has, for each iteration, SR of both phases, HR, and the mix of the latter two."""

    model: SR4IR
    logs: list[dict] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    images: list[dict[str, Tensor]] = field(default_factory=list)


def follow(
    monkeypatch,
    work_dir: Path,
    model: SR4IR,
    batches: list[dict],
    grids: Iterable[Tensor],
    optim_wrapper: dict,
    param_scheduler: dict,
    *,
    warm_up: bool = False,
    iterations: int = 3,
    keep: Callable[[dict], dict] = norms,
) -> Trajectory:
    """Train on the batches with the patch masks ``grids``, N x 1 x grid x grid for each iteration."""
    result = Trajectory(model)
    mix, grids, outputs = model.cqmix.forward, iter(grids), []

    def mix_and_note(sr, hr):
        mixed = mix(sr, hr, next(grids))
        result.images.append(dict(sr_phase1=outputs[-2], sr_phase2=sr, hr=hr, cqmix_input=mixed))
        return mixed

    model.sr.register_forward_hook(lambda net, args, output: outputs.append(output.detach()))
    monkeypatch.setattr(model.cqmix, 'forward', mix_and_note)
    dataset = ToyDataset(*batches)
    dataset.metainfo = {}  # its classes are those of the fixture, whose number is that of the network
    loader = dict(batch_size=len(batches[0]['inputs']), num_workers=0, dataset=dataset,
                  sampler=dict(type='DefaultSampler', shuffle=False))  # fmt: skip
    runner = Runner(
        model, str(work_dir), train_dataloader=loader, train_cfg=dict(by_epoch=False, max_iters=iterations),
        optim_wrapper=optim_wrapper, param_scheduler=param_scheduler,
        custom_hooks=[dict(type='sr4ir_mm.AlternatingUpdateHook', warmup_ratio=float(warm_up))],
        default_hooks=dict(runtime_info=dict(type='sr4ir_mm.DeferredRuntimeInfoHook'), checkpoint=None),
        default_scope='mmengine', experiment_name=work_dir.name,
    )  # fmt: skip
    _record_steps(monkeypatch, runner, result, keep)
    train_step = model.train_step
    monkeypatch.setattr(model, 'train_step', lambda *a, **k: result.logs.append(train_step(*a, **k)) or result.logs[-1])
    runner.train()
    return result


def _record_steps(monkeypatch, runner: Runner, result: Trajectory, keep: Callable) -> None:
    build = runner.build_optim_wrapper

    def build_and_watch(cfg):
        wrappers = build(cfg)
        for name, wrapper in wrappers.items():
            monkeypatch.setattr(wrapper.optimizer, 'step', partial(watched, wrapper.optimizer.step, name, wrapper))
        return wrappers

    def watched(step, name, wrapper, **kwargs):
        params = dict(getattr(result.model, name).named_parameters())
        grads = keep({key: p.grad for key, p in params.items() if p.grad is not None})
        before = copies(params)
        lr = [group['lr'] for group in wrapper.param_groups]
        step(**kwargs)
        update = keep({key: p - before[key] for key, p in params.items()})
        result.steps.append(Step(name, lr, grads, update, keep(getattr(result.model, name).state_dict())))

    monkeypatch.setattr(runner, 'build_optim_wrapper', build_and_watch)


def losses(logs: list[dict], expected: dict[str, list]) -> Iterator[tuple[str, int, float, float]]:
    """Yield the name in the fixture, the iteration, our loss and that of the fixture."""
    ours = dict(l_pix='sr.loss_pix', l_tdp='sr.loss_tdp')
    for name, values in expected.items():
        image = name.rpartition('_')[2].replace('cqmix', 'mix')
        for i, log in enumerate(logs):
            yield name, i, float(log[ours.get(name, f'task.{image}.loss')]), values[i]


def assert_psnr(images: list[dict[str, Tensor]], expected: list[list]) -> None:
    """Check the PSNR of each iteration's batch by our metric; an update of S changes it by more than the tolerance."""
    for i, (batch, (theirs, valid)) in enumerate(zip(images, expected)):
        metric = SRQuality(metrics=['PSNR'])
        metric.process({}, [dict(task_input=sr, hr=hr) for sr, hr in zip(batch['sr_phase2'], batch['hr'])])
        assert len(metric.results) == valid
        ours = np.mean([result['PSNR'] for result in metric.results])
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, err_msg=f'PSNR of iteration {i}')


def assert_parameters(
    steps: list[Step], expected: list[dict], keys: dict[str, dict[str, str]], init_checks: dict, rtol: float
) -> None:
    """How far each step has brought the norms of the parameters, of each and of all, from where they were.

    Args:
        steps (list[Step]): Ours.
        expected (list[dict]): The fixture's steps, which may go on.
        keys (dict[str, dict[str, str]]): Modules of the paper's nets, as ours are named, for 'sr' and 'task'.
        init_checks (dict): The fixture's sum and norm of each initial tensor.
        rtol (float): As a share of the way: they hardly move in three iterations, a share of them would say nothing.
    """
    for i, (step, theirs) in enumerate(zip(steps, expected)):
        begin = {name: norm for name, (_, norm) in init_checks[step.net].items()}
        # the shifts by the mean color are parameters of the paper's EDSR, which never move
        fixed = [norm for name, norm in begin.items() if name.rpartition('.')[0] not in keys[step.net]]
        begin = rename(begin, keys[step.net])
        ours = {name: total_norm({name: step.state[name]}) for name in step.update}
        named = rename(theirs.get('param_l2_per_param', {}), keys[step.net])
        assert named.keys() in (set(), ours.keys())
        if named:
            way = total_norm({name: norm - begin[name] for name, norm in named.items()})
            assert total_norm({name: norm - ours[name] for name, norm in named.items()}) <= rtol * way, f'step {i}'
        total = (theirs['param_l2'] ** 2 - sum(norm**2 for norm in fixed)) ** 0.5
        way = abs(total - total_norm({name: begin[name] for name in ours}))
        assert abs(total_norm(ours) - total) <= rtol * way, f'all of step {i}'


def assert_final_sr(model: SR4IR, npz, rtol: float) -> None:
    """Check S at the end of the run; the tolerance is relative to the change since the start."""
    theirs, start = take(npz, 'final_sr/', EDSR_KEYS), take(npz, 'init_sr/', EDSR_KEYS)
    ours = dict(model.sr.named_parameters())
    assert theirs.keys() == ours.keys()
    error = total_norm({name: ours[name].detach() - value for name, value in theirs.items()})
    assert error <= rtol * total_norm({name: value - start[name] for name, value in theirs.items()})


def assert_images(images: dict[str, Tensor], npz, rtol: float) -> None:
    """Check the images of the first iteration; the fixture may have every ninth pixel."""
    for name, ours in images.items():
        if f'it0/{name}_sub' in npz.files:
            theirs = npz[f'it0/{name}_sub']
            np.testing.assert_allclose(ours[..., ::9, ::9].numpy(), theirs, rtol=0, atol=rtol, err_msg=name)
