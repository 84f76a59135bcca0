"""Random numbers as a function of seed, counter and rank, so that a resumed run draws what a straight one would."""

import random

import numpy as np
import torch
from mmengine.dist import get_rank

from ..registry import FUNCTIONS


def derive_seed(seed: int, counter: int) -> int:
    """A 32-bit seed for this rank that is unrelated to those of neighboring seeds, counters and ranks."""
    return int(np.random.SeedSequence([seed, counter, get_rank()]).generate_state(1)[0])


@FUNCTIONS.register_module()
def epoch_worker_init_fn(worker_id: int) -> None:
    """Seed Python and NumPy in a loader's worker from PyTorch's own seed of it.

    That one is drawn anew whenever workers start, so with ``persistent_workers=False`` an epoch's augmentations depend
    on the epoch's number alone; MMEngine's own function would repeat the first epoch's in every epoch.
    """
    seed = torch.initial_seed() % 2**32
    random.seed(seed)
    np.random.seed(seed)
