"""Images of the test data set, if it is on this machine."""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from mmengine.config import Config

from ..config.checks import datasets
from ..utils.names import IMAGE_SUFFIXES

#: entries of ``data_prefix`` in the data sets of the zoos that name folders of images, not of masks
_KEYS = ('img_path', 'img', 'sub_data_root')


def find_images(cfg: Config, count: int = 2) -> list[Path]:
    """Find the first images of a config's test data set.

    Args:
        cfg (Config): Config of a run.
        count (int): Largest number of images.

    Returns:
        list[Path]: Files; none if the data set is not there.
    """
    return list(islice(_images(cfg), count))


def _images(cfg: Config) -> Iterator[Path]:
    for dataset in datasets(cfg, ['test_dataloader']):
        prefix = dataset.get('data_prefix') or ''
        if isinstance(prefix, dict):
            prefix = next((prefix[key] for key in _KEYS if prefix.get(key)), '')
        for folder, subfolders, files in os.walk(Path(dataset.data_root, prefix)):
            subfolders.sort()
            yield from (Path(folder, file) for file in sorted(files) if file.lower().endswith(IMAGE_SUFFIXES))
