import random
from itertools import product

import numpy as np
import pytest
import torch
from mmengine.runner import Runner

from sr4ir_mm.engine import seeding


def test_seeds_differ_between_runs_counters_and_ranks(monkeypatch):
    seeds = set()
    for seed, counter, rank in product(range(6), range(6), range(3)):
        monkeypatch.setattr(seeding, 'get_rank', lambda rank=rank: rank)
        value = seeding.derive_seed(seed, counter)
        assert value == seeding.derive_seed(seed, counter)
        assert 0 <= value < 2**32
        seeds.add(value)
    assert len(seeds) == 6 * 6 * 3


class Draws(torch.utils.data.Dataset):
    """Random numbers as augmentations draw them: from Python and from NumPy."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> tuple[float, float]:
        return random.random(), float(np.random.rand())


@pytest.mark.parametrize('start', [0, 1])
def test_augmentations_depend_on_the_epoch_only(start):
    """An epoch draws the same whether or not the run began with it; MMEngine's function repeats the first."""
    loader = Runner.build_dataloader(
        dict(
            dataset=Draws(),
            batch_size=1,
            num_workers=2,
            persistent_workers=False,
            sampler=dict(type='DefaultSampler', shuffle=False),
            worker_init_fn=dict(type='sr4ir_mm.epoch_worker_init_fn'),
            collate_fn=dict(type='default_collate'),
        ),
        seed=3,
    )

    def epoch(number: int) -> list[float]:
        torch.manual_seed(seeding.derive_seed(3, number))  # as AlternatingUpdateHook does
        return [float(value) for pair in loader for value in pair]

    first, second = epoch(start), epoch(start + 1)
    assert len({*first, *second}) == 16  # none repeats: over samples, workers, libraries and epochs
    assert epoch(start) == first
