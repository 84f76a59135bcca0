"""Random numbers that depend on seed, counter and rank only, so that a resumed run draws those of a straight one."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.runner import set_random_seed

from ..registry import FUNCTIONS


def derive_seed(seed: int, counter: int) -> int:
    """Return a 32-bit seed for this rank, unrelated to those of neighboring seeds, counters and ranks."""
    return int(np.random.SeedSequence([seed, counter, get_rank()]).generate_state(1)[0])


def random_state() -> tuple[Any, ...]:
    """Return the states of the generators from which a data loader without workers draws."""
    return random.getstate(), np.random.get_state(), torch.get_rng_state()


def set_random_state(state: tuple[Any, ...]) -> None:
    """Set what :func:`random_state` returned."""
    of_python, of_numpy, of_torch = state
    random.setstate(of_python)
    np.random.set_state(of_numpy)
    torch.set_rng_state(of_torch)


@contextmanager
def own_random_numbers(seed: int) -> Iterator[None]:
    """Seed all generators for what runs inside, which differs between ranks; on exit, restore them."""
    before = random_state()
    devices = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices):
        set_random_seed(derive_seed(seed, 0))
        try:
            yield
        finally:
            set_random_state(before)


@FUNCTIONS.register_module()
def epoch_worker_init_fn(worker_id: int) -> None:
    """Seed Python and NumPy in a worker of a data loader from PyTorch's seed of this worker.

    MMEngine's ``worker_init_fn`` uses the same seed in each epoch, and so repeats the augmentations of the first one.
    PyTorch draws a new seed when workers start. With ``persistent_workers=False``, the augmentations of an epoch
    therefore depend on its number only.

    Args:
        worker_id (int): Number of the worker; unused, because PyTorch's seed contains it.

    Example:
        >>> train_dataloader = dict(worker_init_fn=dict(type='sr4ir_mm.epoch_worker_init_fn'), persistent_workers=False)
    """
    seed = torch.initial_seed() % 2**32
    random.seed(seed)
    np.random.seed(seed)
