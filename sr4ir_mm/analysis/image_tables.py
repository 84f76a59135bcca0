"""Files with the results of each image of a test, read and joined."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from ..errors import SR4IRError


@dataclass(frozen=True)
class ImageTable:
    """Results of images, as :class:`ImageResultsHook` writes them.

    Args:
        images (list[str]): Paths of the images.
        classes (list[str]): Names of the classes.
        arrays (dict[str, ndarray]): Arrays by '<metric>.<name>'; the first axis is that of the images or, in tables of
            detections, of the detections, whose images are in '<metric>.image'.
    """

    images: list[str]
    classes: list[str]
    arrays: dict[str, np.ndarray]

    def of(self, metric: str) -> dict[str, np.ndarray]:
        """Return the arrays of one metric by their own names; empty if the test did not have it."""
        start = f'{metric}.'
        return {name.removeprefix(start): value for name, value in self.arrays.items() if name.startswith(start)}


def read_table(path: Path) -> ImageTable:
    """Read a file of ``tools/test.py --per-image``.

    Raises:
        SR4IRError: If it cannot be read.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return ImageTable(arrays.pop('images').tolist(), arrays.pop('classes').tolist(), arrays)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise SR4IRError(f"'{path}' holds no results of images ({error}): test again with --per-image.") from error


def join_tables(tables: Sequence[ImageTable]) -> ImageTable:
    """Join the tests of different images, such as those of all folds; images are in the order of their names.

    Raises:
        SR4IRError: If an image is in two tables, or they have other classes or metrics.
    """
    images = [name for table in tables for name in table.images]
    if len(set(images)) < len(images):
        raise SR4IRError(f"'{max(images, key=images.count)}' was tested twice: join the tests of different images.")
    for table in tables[1:]:
        if table.classes != tables[0].classes or table.arrays.keys() != tables[0].arrays.keys():
            raise SR4IRError('The tests have other classes or metrics: join those of one config.')
    place = {name: i for i, name in enumerate(sorted(images))}
    places = [np.array([place[name] for name in table.images], int) for table in tables]
    arrays = {name: _join(name, tables, places) for name in tables[0].arrays}
    return ImageTable(sorted(images), tables[0].classes, arrays)


def _join(name: str, tables: Sequence[ImageTable], places: list[np.ndarray]) -> np.ndarray:
    metric, _, kind = name.rpartition('.')
    parts = [table.arrays[name] for table in tables]
    if kind == 'image':
        return np.concatenate([places[i][part] for i, part in enumerate(parts)])
    joined = np.concatenate(parts)
    is_of_detections = f'{metric}.image' in tables[0].arrays and kind != 'objects'
    return joined if is_of_detections else joined[np.argsort(np.concatenate(places))]
