"""Batches of images of similar shape."""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import cycle, islice

import numpy as np
from torch.utils.data import BatchSampler, Sampler

from ..errors import SR4IRError
from ..registry import DATA_SAMPLERS
from ..utils import check_number


@DATA_SAMPLERS.register_module()
class AspectRatioGroupedBatchSampler(BatchSampler):
    """Batches of images that have a similar aspect ratio (width / height), by the rule of torchvision's references.

    The paper uses this rule. mmdet's ``AspectRatioBatchSampler`` has only two groups, and its last batches mix them.

    An epoch has exactly ``len(sampler) // batch_size`` batches, all of them full. The images are read in the order of
    the sampler, and a batch is complete when its group has enough images. At the end, the groups with the most images
    left are filled up with their own first images of this epoch. The other images are left out. The batches depend on
    the order of the sampler only.

    Args:
        sampler (Sampler): Sampler of MMEngine, distributed or not. ``get_data_info`` of its data set gives the width
            and the height of an image.
        batch_size (int): Images per batch.
        bins (int): Number of edges between the groups: from 1/2 to 2, at equal ratios.

    Raises:
        SR4IRError: If the data set has fewer images than one batch, or if the size of an image is unknown.

    Example:
        >>> train_dataloader = dict(
        ...     batch_sampler=dict(type='sr4ir_mm.AspectRatioGroupedBatchSampler', bins=7),
        ...     sampler=dict(type='DefaultSampler', shuffle=True))
    """

    def __init__(self, sampler: Sampler, batch_size: int, bins: int = 7) -> None:
        check_number('AspectRatioGroupedBatchSampler', low=1, whole=True, batch_size=batch_size, bins=bins)
        super().__init__(sampler, batch_size, drop_last=True)
        if not len(self):
            raise SR4IRError(
                f'The data have only {len(sampler)} images for batches of {batch_size}, and every batch must be full: '
                'lower train_dataloader.batch_size.'
            )
        edges = (2 ** np.linspace(-1, 1, bins)).tolist()
        self.groups = [bisect_right(edges, _aspect_ratio(sampler.dataset, i)) for i in range(len(sampler.dataset))]

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the indices of the images of each batch."""
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
                waiting[group] = []  # goes to the end: decides between groups that are equally full
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
            f"The annotations of '{info.get('img_path', index)}' give its size as {width} x {height}: fix them, or "
            'remove train_dataloader.batch_sampler.'
        )
    return width / height
