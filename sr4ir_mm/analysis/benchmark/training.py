"""Iterations of one variant."""

from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapperDict, build_optim_wrapper
from torch import Tensor

from ...compat.allocator import keep_freed_memory
from ...config.amp import enable_amp
from ...config.building import build_model
from ...models import SR4IR
from ...models.compilation import compile_networks
from .floor import Floor
from .jobs import Job
from .variants import Variant


def training(
    job: Job, variant: Variant, device: str = 'cpu', seed: int = 0, batches: int = 1, noise: float = 0.0
) -> Callable[[], Tensor]:
    """Build the networks of a job with random weights, the same for all variants, and an iteration.

    Args:
        job (Job): Networks and images.
        variant (Variant): Way to train.
        device (str): Device, such as 'cuda'.
        seed (int): Seed of weights, images, and all that is drawn in the iterations.
        batches (int): Number of batches, which are taken in turn; the floor has one.
        noise (float): Relative size of a random change of all weights.

    Returns:
        Callable: Function without arguments that runs one iteration, with the TDP loss, and returns the loss.
    """
    cfg = variant_config(job, variant)
    torch.manual_seed(seed)
    model = build_model(cfg).to(device)
    if noise:
        _add_noise(model, noise)
    made = [job.make_batch(cfg, seed + index) for index in range(batches)]
    if variant.compile:
        compile_networks(model)
    if variant.is_floor:
        step = Floor(model, cfg, made[0], variant.channels_last, variant.amp).step
    else:
        step = Ours(model, build_optim_wrapper(model, cfg.optim_wrapper), cycle(made))
    torch.manual_seed(seed)
    return step


def training_process(variant: Variant, **kwargs: Any) -> Callable[[], Tensor]:
    """Do the same in a process of its own; see :func:`training`.

    With ``channels_last`` it keeps freed memory, as tools/train.py does; so does the floor with which it is compared.
    """
    if variant.channels_last:
        keep_freed_memory()
    return training(variant=variant, **kwargs)


@torch.no_grad()
def _add_noise(model: SR4IR, noise: float) -> None:
    for param in model.parameters():
        param.mul_(1 + noise * torch.randn_like(param))


def variant_config(job: Job, variant: Variant) -> Config:
    """Load the config of a job with the options of a variant, as tools/train.py does; the floor makes its own."""
    cfg = job.load()
    cfg.model.channels_last = variant.channels_last and not variant.is_floor
    if variant.amp and not variant.is_floor:
        enable_amp(cfg)
    if variant.with_cp:
        cfg.model.sr.with_cp = True
    return cfg


class Ours:
    """An iteration as a run of tools/train.py makes it.

    Args:
        model (SR4IR): Model on its device.
        optim_wrapper (OptimWrapperDict): Optimizers of its networks.
        batches (Iterator[dict]): Batches of the data loader.
    """

    def __init__(self, model: SR4IR, optim_wrapper: OptimWrapperDict, batches: Iterator[dict]) -> None:
        self.model = model.train()
        self.optim_wrapper = optim_wrapper
        self.batches = batches

    def __call__(self) -> Tensor:
        """Run it, and return the sum of all losses."""
        return self.model.train_step(next(self.batches), self.optim_wrapper)['loss']
