"""Iterations of one variant."""

from collections.abc import Callable
from functools import partial

import torch
from mmengine.optim import build_optim_wrapper
from torch import Tensor

from ...config.amp import enable_amp
from ...config.building import build_model
from ...models import SR4IR
from .floor import Floor
from .jobs import Job
from .variants import Variant


def training(job: Job, variant: Variant, device: str = 'cpu', seed: int = 0) -> Callable[[], Tensor]:
    """Build the networks of a job with random weights, the same for all variants, and an iteration.

    Args:
        job (Job): Networks and images.
        variant (Variant): Way to train.
        device (str): Device, such as 'cuda'.
        seed (int): Seed of weights, images, and all that is drawn in the iterations.

    Returns:
        Callable: Function without arguments that runs one iteration, with the TDP loss, and returns the loss.
    """
    cfg = job.load()
    cfg.model.channels_last = variant.channels_last and not variant.is_floor
    if variant.amp and not variant.is_floor:
        enable_amp(cfg)
    torch.manual_seed(seed)
    model = build_model(cfg).to(device)
    batch = job.make_batch(cfg, seed)
    if variant.is_floor:
        step = Floor(model, cfg, batch, variant.channels_last, variant.amp).step
    else:
        step = partial(_step, model.train(), build_optim_wrapper(model, cfg.optim_wrapper), batch)
    torch.manual_seed(seed)
    return step


def _step(model: SR4IR, optim_wrapper: dict, batch: dict) -> Tensor:
    return model.train_step(batch, optim_wrapper)['loss']
