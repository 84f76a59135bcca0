"""Training images, loaded as they would be if they were tested."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import torch
from mmengine.dist import get_dist_info
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement
from torch.utils.data import DataLoader, Dataset

from ..datasets.class_names import parts
from ..errors import SR4IRError
from .seeding import derive_seed, epoch_worker_init_fn

#: batches in memory, from which those of similar sizes are made
_BATCHES = 8


class ImagesAsTested:
    """Batches of some training images, the same whenever they are loaded; each process has others.

    The pipeline of the validation loads them, since a random crop has other statistics than the image. It is left out
    without a validation, or if the training data are no data set of MMEngine's kind. Images of different sizes are
    sorted by size, and cut around their center to the smallest one of their batch.

    Args:
        runner (Runner): Runner of a training.
        images (int, optional): Number of images for all processes together, at most; whole batches are taken.
        batch_size (int, optional): Images of a batch; by default as in training.
    """

    def __init__(self, runner: Runner, images: int | None, batch_size: int | None) -> None:
        train = runner.train_dataloader
        tested = train if runner.val_loop is None else runner.val_dataloader
        pipeline = None if tested is train else getattr(next(parts(tested.dataset)), 'pipeline', None)
        readable = _without_mixing(train.dataset)
        self.as_tested = pipeline is not None and hasattr(readable, 'get_data_info')
        self.batch_size = batch_size or max(2, train.batch_size or getattr(train.batch_sampler, 'batch_size', 2))
        self.collate = tested.collate_fn
        self.seed = runner.seed or 0
        length = len(readable if self.as_tested else train.dataset)
        # an image takes a tenth or a fifth of the time of its training, so this is a few percent of an epoch
        images = images or min(256, max(length // 4, 4 * self.batch_size))
        self.indices = _choose(length, images, self.batch_size, self.seed)
        self.loader = DataLoader(
            _Loaded(readable, pipeline) if self.as_tested else train.dataset,
            batch_size=None,
            sampler=self.indices,
            num_workers=tested.num_workers,
            collate_fn=_as_it_is,
            worker_init_fn=epoch_worker_init_fn,
        )

    def __str__(self) -> str:
        """Say how many images these are."""
        return (
            f'{len(self.indices)} training images in each process, in batches of {self.batch_size}, loaded as '
            f'{"those of the validation" if self.as_tested else "in training"}'
        )

    def __iter__(self) -> Iterator[dict]:
        """Yield the batches, as a data loader does."""
        self.loader.generator = torch.Generator().manual_seed(derive_seed(self.seed, 0))
        items = iter(self.loader)
        while chunk := list(islice(items, _BATCHES * self.batch_size)):
            chunk.sort(key=lambda item: tuple(item['inputs'].shape))
            for start in range(0, len(chunk), self.batch_size):
                yield self.collate(_of_one_size(chunk[start : start + self.batch_size]))

    def problem(self) -> str | None:
        """Load an image, and return why the pipeline of the validation does not take it; None if it does."""
        try:
            if self.as_tested:
                self.loader.dataset[self.indices[0]]
        except (SR4IRError, OSError):  # of a file, not of the pipeline
            raise
        except Exception as error:
            return f'{type(error).__name__}: {error}'
        return None


class _Loaded(Dataset):
    """A data set with another pipeline."""

    def __init__(self, dataset: Dataset, pipeline: Any) -> None:
        self.dataset, self.pipeline = dataset, pipeline

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> dict:
        return self.pipeline(self.dataset.get_data_info(index))


def _without_mixing(dataset: Dataset) -> Dataset:
    """Return the data set below a wrapper that makes one image of several, such as mmdet's MultiImageMixDataset."""
    while not hasattr(dataset, 'get_data_info') and hasattr(dataset, 'dataset'):
        dataset = dataset.dataset
    return dataset


def _choose(length: int, images: int, batch_size: int, seed: int) -> list[int]:
    """Choose the images of this process: whole batches, and as many as the other processes have."""
    rank, processes = get_dist_info()
    # one image may have a single value for each channel, which has no variance
    each = max(1, min(2, length // processes), min(images, length) // processes)
    each -= each % batch_size if each > batch_size else 0
    order = torch.randperm(length, generator=torch.Generator().manual_seed(seed))
    return order[rank::processes][:each].tolist()


def _of_one_size(items: list[dict]) -> list[dict]:
    height, width = (min(sides) for sides in zip(*(item['inputs'].shape[-2:] for item in items)))

    def cut(inputs: torch.Tensor, data_samples: BaseDataElement) -> dict:
        top, left = (inputs.shape[-2] - height) // 2, (inputs.shape[-1] - width) // 2
        if 'ori_shape' in data_samples:  # to which predictions would be enlarged
            data_samples = data_samples.new()
            data_samples.set_metainfo(dict(ori_shape=(height, width)))
        return dict(inputs=inputs[..., top : top + height, left : left + width], data_samples=data_samples)

    return [cut(item['inputs'], item['data_samples']) for item in items]


def _as_it_is(item: dict) -> dict:
    return item
