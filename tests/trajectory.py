"""A run of our Runner beside the fixtures ``traj_*``: three iterations of the paper's own training loop."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.runner import Runner
from torch import Tensor
from toy import ToyDataset

from sr4ir_mm.models import SR4IR

#: modules of the paper's EDSR, as mmagic names them
EDSR_KEYS = {
    'head.0': 'conv_first', 'body.0.body.0': 'body.0.conv1', 'body.0.body.2': 'body.0.conv2',
    'body.1.body.0': 'body.1.conv1', 'body.1.body.2': 'body.1.conv2', 'body.2': 'conv_after_body',
    'tail.0.0': 'upsample.0.upsample_conv', 'tail.0.2': 'upsample.1.upsample_conv', 'tail.1': 'conv_last',
}  # fmt: skip


def take(npz, prefix: str, keys: dict[str, str]) -> dict[str, Tensor]:
    """The tensors under a prefix of the fixture, under our names."""
    state = {}
    for name in npz.files:
        module, _, parameter = name.removeprefix(prefix).rpartition('.')
        if name.startswith(prefix) and module in keys:
            state[f'{keys[module]}.{parameter}'] = torch.from_numpy(npz[name])
    return state


def stored_grids(npz) -> Tensor:
    """The patch masks of a fixture, iterations x N x 1 x grid x grid."""
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
    return torch.stack([torch.as_tensor(v).double().norm() for v in values.values()]).norm().item()


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
    """What a run did."""

    model: SR4IR
    logs: list[dict] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


def follow(
    monkeypatch,
    work_dir: Path,
    model: SR4IR,
    batches: list[dict],
    grids: Iterable[Tensor],
    optim_wrapper: dict,
    param_scheduler: dict,
    *,
    warmup_epochs: int = 0,
    iterations: int = 3,
    keep: Callable[[dict], dict] = norms,
) -> Trajectory:
    """Train on the batches with the patch masks ``grids``, N x 1 x grid x grid for each iteration."""
    mix, grids = model.cqmix.forward, iter(grids)
    monkeypatch.setattr(model.cqmix, 'forward', lambda sr, hr: mix(sr, hr, next(grids)))
    loader = dict(batch_size=len(batches[0]['inputs']), num_workers=0, dataset=ToyDataset(*batches),
                  sampler=dict(type='DefaultSampler', shuffle=False))  # fmt: skip
    runner = Runner(
        model, str(work_dir), train_dataloader=loader, train_cfg=dict(by_epoch=False, max_iters=iterations),
        optim_wrapper=optim_wrapper, param_scheduler=param_scheduler,
        custom_hooks=[dict(type='sr4ir_mm.AlternatingUpdateHook', warmup_epochs=warmup_epochs)],
        default_hooks=dict(runtime_info=dict(type='sr4ir_mm.RuntimeInfoHook'), checkpoint=None),
        default_scope='mmengine', experiment_name=work_dir.name,
    )  # fmt: skip
    result = Trajectory(model)
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
    """Our losses beside the fixture's: name there, iteration, ours, theirs."""
    ours = dict(l_pix='sr.loss_pix', l_tdp='sr.loss_tdp')
    for name, values in expected.items():
        image = name.rpartition('_')[2].replace('cqmix', 'mix')
        for i, log in enumerate(logs):
            yield name, i, float(log[ours.get(name, f'task.{image}.loss')]), values[i]
