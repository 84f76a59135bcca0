"""AspectRatioGroupedBatchSampler against the rule as torchvision's references state it, and within MMEngine's loops."""

import bisect
from collections import defaultdict
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler, InfiniteSampler
from mmengine.dataset import sampler as mmengine_sampler
from mmengine.hooks import DistSamplerSeedHook
from mmengine.registry import DATA_SAMPLERS
from mmengine.runner import Runner

from sr4ir_mm.datasets import AspectRatioGroupedBatchSampler
from sr4ir_mm.errors import SR4IRError

EDGES = [0.5, 2 ** (-2 / 3), 2 ** (-1 / 3), 1, 2 ** (1 / 3), 2 ** (2 / 3), 2]


class Sizes(torch.utils.data.Dataset):
    """A data set of images that have a size and no pixels."""

    def __init__(self, sizes) -> None:
        self.sizes = sizes

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, index: int) -> int:
        return index

    def get_data_info(self, index: int) -> dict:
        width, height = self.sizes[index]
        return dict(width=width, height=height, img_path=f'{index}.jpg')


def sizes(n: int, seed: int = 0) -> Sizes:
    rng = np.random.default_rng(seed)
    return Sizes([tuple(int(side) for side in rng.integers(10, 40, 2)) for _ in range(n)])


def sampler(dataset: Sizes, batch_size: int, shuffle: bool = True, **kwargs) -> AspectRatioGroupedBatchSampler:
    return AspectRatioGroupedBatchSampler(DefaultSampler(dataset, shuffle=shuffle, seed=3), batch_size, **kwargs)


def by_the_rule(dataset: Sizes, order: list[int], batch_size: int, edges: list[float] = EDGES) -> list[list[int]]:
    """Form batches by section 1 of docs/protocol.md, step by step."""
    groups = [bisect.bisect_right(edges, width / height) for width, height in dataset.sizes]
    queue, shown, batches = defaultdict(list), defaultdict(list), []
    for index in order:
        group = groups[index]
        queue[group].append(index)
        shown[group].append(index)
        if len(queue[group]) == batch_size:
            batches.append(queue.pop(group))
            queue[group] = []
    for group, batch in sorted(queue.items(), key=lambda item: len(item[1]), reverse=True):
        if len(batches) == len(order) // batch_size:
            break
        batches.append((batch + shown[group] * batch_size)[:batch_size])
    return batches


@pytest.mark.parametrize('n, batch_size', [(2, 2), (7, 3), (50, 16), (101, 4), (1000, 16), (64, 1)])
def test_batches_are_those_of_the_rule(n, batch_size):
    dataset = sizes(n, seed=n)
    ours = sampler(dataset, batch_size)
    for epoch in (0, 1, 5):
        ours.sampler.set_epoch(epoch)
        batches = list(ours)
        assert batches == by_the_rule(dataset, list(ours.sampler), batch_size)
        assert len(batches) == len(ours) == n // batch_size
        assert {len(batch) for batch in batches} == {batch_size}


def test_a_batch_is_of_one_group_and_is_filled_up_with_its_first_images():
    dataset = Sizes([(20, 10)] * 3 + [(10, 20)] * 4 + [(10, 10)])
    assert list(sampler(dataset, 4, shuffle=False)) == [[3, 4, 5, 6], [0, 1, 2, 0]]
    assert list(sampler(Sizes([(20, 10), (10, 20), (11, 20), (10, 10)]), 3, shuffle=False)) == [[1, 2, 1]]


@pytest.mark.parametrize('side', [9, 10, 12, 13, 16, 20, 25, 33, 41])
def test_the_edges_of_the_groups(side):
    """An image on an edge belongs to the group above it."""
    (group,) = sampler(Sizes([(side, 20)]), 1).groups
    assert group == sum(side / 20 >= edge for edge in EDGES)
    assert sampler(Sizes([(side, 20)]), 1, bins=1).groups == [int(side >= 10)]


def test_an_epoch_depends_on_seed_and_number_alone():
    """So that a resumed run receives the batches of an uninterrupted one."""
    dataset = sizes(100)
    straight = sampler(dataset, 8)
    epochs = []
    for epoch in range(3):
        straight.sampler.set_epoch(epoch)
        epochs.append(list(straight))
    assert epochs[0] != epochs[1] != epochs[2]
    resumed = sampler(dataset, 8)
    resumed.sampler.set_epoch(2)
    assert list(resumed) == epochs[2]
    next(iter(resumed))  # an interrupted epoch leaves no trace
    assert list(resumed) == epochs[2]


def test_distributed(monkeypatch):
    """Every rank has as many batches as the others, of its own share of the images."""
    dataset = sizes(103)
    seen, lengths = [], set()
    for rank in range(4):
        monkeypatch.setattr(mmengine_sampler, 'get_dist_info', lambda rank=rank: (rank, 4))
        ours = sampler(dataset, 5)
        batches = list(ours)
        assert batches == by_the_rule(dataset, list(ours.sampler), 5)
        assert len(batches) == len(ours)
        lengths.add(len(ours))
        seen.append({index for batch in batches for index in batch})
    assert lengths == {26 // 5}
    assert sum(len(a & b) for a in seen for b in seen if a is not b) <= 2  # the one that fills up the last rank


def test_infinite_sampler():
    dataset = sizes(20)
    ours = AspectRatioGroupedBatchSampler(InfiniteSampler(dataset, seed=0), 4)
    stream = iter(ours)
    batches = [next(stream) for _ in range(50)]
    assert {len(batch) for batch in batches} == {4}
    assert all(len({ours.groups[i] for i in batch}) == 1 for batch in batches)


def test_as_the_runner_builds_and_reseeds_it():
    loader = Runner.build_dataloader(
        dict(
            batch_size=4, num_workers=0, dataset=sizes(30), sampler=dict(type='DefaultSampler', shuffle=True),
            batch_sampler=dict(type='sr4ir_mm.AspectRatioGroupedBatchSampler', bins=5),
            collate_fn=dict(type='default_collate'),
        ),
        seed=11,
    )  # fmt: skip
    assert isinstance(loader.batch_sampler, DATA_SAMPLERS.get('sr4ir_mm.AspectRatioGroupedBatchSampler'))
    assert len(loader) == 7
    hook = DistSamplerSeedHook()
    hook.before_train_epoch(SimpleNamespace(train_loop=SimpleNamespace(dataloader=loader), epoch=2))
    expected = DefaultSampler(loader.dataset, shuffle=True, seed=11)
    expected.set_epoch(2)
    edges = [2 ** (step / 2) for step in range(-2, 3)]
    assert [batch.tolist() for batch in loader] == by_the_rule(loader.dataset, list(expected), 4, edges)


def test_too_few_images_for_a_batch():
    with pytest.raises(SR4IRError, match=r'only 3 images for batches of 4.*lower train_dataloader\.batch_size'):
        sampler(sizes(3), 4)


def test_unknown_size():
    for size in ((0, 0), (None, 10)):
        with pytest.raises(SR4IRError, match=rf"'1\.jpg' give its size as {size[0]} x {size[1]}"):
            sampler(Sizes([(10, 10), size]), 1)
