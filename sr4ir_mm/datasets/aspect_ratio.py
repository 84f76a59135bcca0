"""Batches of images of similar shape."""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import cycle, islice

import numpy as np
from torch.utils.data import BatchSampler, Sampler

from ..errors import SR4IRError
from ..registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class AspectRatioGroupedBatchSampler(BatchSampler):
    """Batches within groups of similar width / height, by the paper's rule, which is torchvision's.

    An epoch has exactly ``len(sampler) // batch_size`` full batches: those that fill up while the sampler is read,
    then the fullest of the groups that are left, each topped up with its own first images of this epoch. The rest is
    left out. The order follows from the sampler's alone. (mmdet's class of this name has two groups, and mixes them in
    the last batches.)

    Args:
        sampler (Sampler): Of MMEngine, distributed or not; its data set's ``get_data_info`` gives width and height.
        batch_size (int): Images per batch.
        bins (int): Number of the edges between the groups, which lie between 1/2 and 2 at equal ratios.

    Raises:
        SR4IRError: If there are fewer images than a batch holds, or one's size is not known.
    """

    def __init__(self, sampler: Sampler, batch_size: int, bins: int = 7) -> None:
        super().__init__(sampler, batch_size, drop_last=True)
        if not len(self):
            raise SR4IRError(
                f'There are {len(sampler)} images for batches of {batch_size}, but a batch has to be full: lower '
                'train_dataloader.batch_size.'
            )
        edges = (2 ** np.linspace(-1, 1, bins)).tolist()
        self.groups = [bisect_right(edges, _aspect_ratio(sampler.dataset, i)) for i in range(len(sampler.dataset))]

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the indices of one batch after another."""
        waiting: dict[int, list[int]] = {}
        first: dict[int, list[int]] = {}
        missing = len(self)
        for index in self.sampler:
            group = self.groups[index]
            batch = waiting.setdefault(group, [])
            batch.append(index)
            if len(head := first.setdefault(group, [])) < self.batch_size:
                head.append(index)
            if len(batch) == self.batch_size:
                yield waiting.pop(group)
                waiting[group] = []  # now last where groups are equally full
                missing -= 1
        fullest = sorted(waiting, key=lambda group: -len(waiting[group]))
        for group in fullest[:missing]:
            batch = waiting[group]
            yield batch + list(islice(cycle(first[group]), self.batch_size - len(batch)))


def _aspect_ratio(dataset: object, index: int) -> float:
    info = dataset.get_data_info(index)
    width, height = info.get('width'), info.get('height')
    if not width or not height:
        raise SR4IRError(
            f"The annotations of '{info.get('img_path', index)}' give its size as {width} x {height}: mend them, or "
            'leave out train_dataloader.batch_sampler.'
        )
    return width / height
