from types import SimpleNamespace

import pytest
import torch
from helpers.toy import ToyDataset, toy_batch
from mmdet.datasets import MultiImageMixDataset
from mmengine.dataset import BaseDataset, RepeatDataset, pseudo_collate
from mmengine.structures import BaseDataElement
from torch.utils.data import DataLoader

from sr4ir_mm.engine import tested_images
from sr4ir_mm.engine.tested_images import ImagesAsTested

SIDES = [(8, 6), (6, 8), (8, 7), (6, 9), (8, 6)]


class Files(BaseDataset):
    """Images of one color, their number; their sides are those of ``SIDES`` in turn."""

    def load_data_list(self):
        return [dict(number=i) for i in range(10)]


def load(info: dict) -> dict:
    image = torch.full((3, *SIDES[info['number'] % len(SIDES)]), info['number'], dtype=torch.uint8)
    return dict(inputs=image, data_samples=BaseDataElement())


def crop(info: dict) -> dict:
    raise AssertionError('the pipeline of the training')


def runner(dataset, tested=None, batch_size: int = 2, workers: int = 0) -> SimpleNamespace:
    val = tested and DataLoader(tested, num_workers=workers, collate_fn=pseudo_collate)
    train = DataLoader(dataset, batch_size=batch_size, collate_fn=pseudo_collate)
    return SimpleNamespace(train_dataloader=train, val_loop=val and object(), val_dataloader=val, seed=0)


def numbers(batch: dict) -> list[int]:
    return [int(image[0, 0, 0]) for image in batch['inputs']]


@pytest.mark.parametrize('workers', [0, 1])
def test_training_images_are_loaded_as_those_of_the_validation(workers):
    train = RepeatDataset(Files(pipeline=[crop]), times=1)
    source = ImagesAsTested(runner(train, Files(pipeline=[load]), workers=workers), images=9, batch_size=None)
    found = [numbers(batch) for batch in source]
    assert [len(batch) for batch in found] == [2, 2, 2, 2]  # whole batches
    assert len({number for batch in found for number in batch}) == 8
    assert [numbers(batch) for batch in source] == found  # the same ones each time
    assert str(source).endswith('8 training images in each process, in batches of 2, loaded as those of the validation')


def test_images_of_similar_sizes_are_cut_to_the_smallest_of_a_batch():
    source = ImagesAsTested(runner(Files(pipeline=[load]), Files(pipeline=[load])), images=10, batch_size=4)
    shapes = [[tuple(image.shape) for image in batch['inputs']] for batch in source]
    assert all(len(set(batch)) == 1 for batch in shapes) and len(shapes) == 2


def test_images_are_cut_around_their_center():
    images = [torch.arange(12).expand(3, 4, 12), torch.arange(10).expand(3, 8, 10)]
    samples = [BaseDataElement(metainfo=dict(ori_shape=(40, 120), scale_factor=0.1)), BaseDataElement()]
    items = tested_images._of_one_size([dict(inputs=i, data_samples=s) for i, s in zip(images, samples)])
    assert [tuple(item['inputs'].shape) for item in items] == [(3, 4, 10)] * 2
    assert items[0]['inputs'][0, 0].tolist() == [*range(1, 11)]
    assert items[0]['data_samples'].metainfo == dict(ori_shape=(4, 10), scale_factor=0.1)  # for one size of predictions
    assert samples[0].ori_shape == (40, 120) and 'ori_shape' not in items[1]['data_samples']


@pytest.mark.parametrize('tested', [None, ToyDataset(toy_batch(4))])
def test_other_data_sets_are_loaded_as_in_training(tested):
    train = ToyDataset(toy_batch(6))
    source = ImagesAsTested(runner(train, tested), images=100, batch_size=None)
    assert str(source).endswith('6 training images in each process, in batches of 2, loaded as in training')
    found = [image for batch in source for image in batch['inputs']]
    assert len(found) == 6 and all(any(torch.equal(a, item['inputs']) for a in found) for item in train)


def test_each_process_has_images_of_its_own(monkeypatch):
    parts = []
    for rank in range(3):
        monkeypatch.setattr(tested_images, 'get_dist_info', lambda rank=rank: (rank, 3))
        parts.append(tested_images._choose(length=20, images=15, batch_size=2, seed=0))
    assert [len(part) for part in parts] == [4, 4, 4] and len({i for part in parts for i in part}) == 12


def test_a_process_has_at_least_two_images(monkeypatch):
    """One image has a single value for each channel where feature maps are 1 x 1, which has no variance."""
    monkeypatch.setattr(tested_images, 'get_dist_info', lambda: (1, 3))
    assert len(tested_images._choose(length=20, images=4, batch_size=2, seed=0)) == 2


@pytest.mark.parametrize('length, images, batch_size, expected', [(5, 256, 8, 5), (100, 4, 8, 4), (100, 20, 8, 16)])
def test_few_images(length, images, batch_size, expected):
    assert len(tested_images._choose(length, images, batch_size, seed=1)) == expected


@pytest.mark.parametrize('length, batch_size, expected', [(2000, 16, 256), (400, 4, 100), (40, 4, 16), (6, 4, 4)])
def test_default_number(length, batch_size, expected):
    source = ImagesAsTested(runner([{}] * length, batch_size=batch_size), None, None)
    assert len(source.indices) == expected


def test_a_batch_has_at_least_two_images():
    assert ImagesAsTested(runner(ToyDataset(toy_batch(4)), batch_size=1), 4, None).batch_size == 2


def test_a_pipeline_that_does_not_take_training_images():
    def take_proposals(info):
        return info['proposals']

    assert ImagesAsTested(runner(Files(pipeline=[load]), Files(pipeline=[load])), 4, None).problem() is None
    source = ImagesAsTested(runner(Files(pipeline=[load]), Files(pipeline=[take_proposals])), 4, None)
    assert source.problem() == "KeyError: 'proposals'"


def test_images_of_a_mosaic_are_loaded_one_by_one():
    mixed = MultiImageMixDataset(Files(pipeline=[crop]), pipeline=[])
    source = ImagesAsTested(runner(mixed, Files(pipeline=[load])), images=4, batch_size=2)
    assert len(mixed) == 10 and [len(numbers(batch)) for batch in source] == [2, 2]
