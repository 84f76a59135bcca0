"""Folds of cross-validation: every image of a small data set is tested once."""

import hashlib
import os
from collections.abc import Callable, Sequence
from functools import partial
from numbers import Integral
from pathlib import Path
from typing import Any

from mmengine.dataset import BaseDataset, ConcatDataset
from mmengine.registry import DATASETS as MMENGINE_DATASETS

from ..errors import SR4IRError
from ..registry import DATASETS
from ..utils import check_number


@DATASETS.register_module()
class Fold(ConcatDataset):
    """The images of one or several data sets that one fold trains with, or those that it tests.

    The images are divided by their names and the seed, so the folds are the same for every scheme, network and machine.
    Images with one label (mmpretrain) are divided class by class. Folds differ by at most one image for each data set.
    Filters, such as that of images without a box, act after the division.

    Args:
        datasets (Sequence[dict]): Data sets of mmseg, mmdet or mmpretrain, with the same classes.
        fold (int): Number of the fold, from 1 on.
        folds (int): Number of folds, at least 2.
        test (bool): Whether to take the images that the fold tests; otherwise all others.
        seed (int): Seed of the division.

    Raises:
        SR4IRError: If there is no such fold, an image is in two data sets, or one is no ``BaseDataset`` of MMEngine.

    Example:
        >>> train, val = dict(type='CustomDataset', data_prefix='train'), dict(type='CustomDataset', data_prefix='val')
        >>> dataset = dict(type='sr4ir_mm.Fold', datasets=[train, val], fold=1, folds=5)
    """

    def __init__(self, datasets: Sequence[dict], fold: int, folds: int, test: bool = False, seed: int = 0) -> None:
        check_number('Fold', low=2, whole=True, folds=folds)
        check_number('Fold', low=1, high=folds, whole=True, fold=fold)
        check_number('Fold', low=0, whole=True, seed=seed)
        select, owners = partial(_select, fold - 1, folds, test, seed), {}
        parts = [_build(cfg, i, select, owners) for i, cfg in enumerate(datasets)]
        if not any(parts):
            raise SR4IRError(f'Fold {fold} of {folds} has no image: make fewer folds.')
        super().__init__([part for part in parts if part])

    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the classes of an image, by which ``ClassBalancedDataset`` repeats it."""
        part, index = self._get_ori_dataset_idx(idx)
        return self.datasets[part].get_cat_ids(index)


class _EmptyError(SR4IRError):
    pass


def _build(
    cfg: dict, number: int, select: Callable[[list[dict]], list[dict]], owners: dict[Any, int]
) -> BaseDataset | None:
    """Build a data set whose images are selected before its own filter; None if it has fewer images than folds."""
    part = MMENGINE_DATASETS.build(dict(cfg, lazy_init=True))
    if not isinstance(part, BaseDataset):
        raise SR4IRError(f"Folds are made of data sets of MMEngine's kind, and {type(part).__name__} is none.")
    own_filter = part.filter_data

    def filter_data() -> list[dict]:
        _check_new(part.data_list, number, owners)
        ids = _new_ids(part.data_list, number, owners)
        part.data_list = select(part.data_list)
        if not part.data_list:
            raise _EmptyError
        return [dict(info, img_id=ids[info['img_id']]) if ids else info for info in own_filter()]

    part.filter_data = filter_data
    try:
        part.full_init()
    except _EmptyError:
        return None
    del part.filter_data  # it cannot be sent to workers
    return part


def _select(fold: int, folds: int, test: bool, seed: int, infos: list[dict]) -> list[dict]:
    """Return the images of a fold in their own order."""
    keys = [_key(info, index, seed) for index, info in enumerate(infos)]
    order = sorted(range(len(infos)), key=keys.__getitem__)
    tested = {index for place, index in enumerate(order) if place % folds == fold}
    return [info for index, info in enumerate(infos) if (index in tested) == test]


def _key(info: dict, index: int, seed: int) -> tuple:
    """Return the place of an image in the order from which folds are dealt: by class, and at random in a class."""
    label = info.get('gt_label')
    name = Path(str(info.get('img_path', index))).name
    return (label if isinstance(label, Integral) else -1, hashlib.sha256(f'{seed} {name}'.encode()).hexdigest(), name)


def _check_new(infos: list[dict], number: int, owners: dict[Any, int]) -> None:
    """Check that no image is in an earlier data set; ``owners`` are the numbers of the data sets by path."""
    for path in (info['img_path'] for info in infos if 'img_path' in info):
        if owners.setdefault(os.path.realpath(path), number) != number:
            raise SR4IRError(
                f"'{path}' is in two data sets that are divided into folds, so that it would be trained and tested: "
                'list every image in one of them.'
            )


def _new_ids(infos: list[dict], number: int, owners: dict[Any, int]) -> dict[Any, Any]:
    """Return ids of images that differ from those of earlier data sets, for COCO's metric, by their own ids."""
    ids = [info['img_id'] for info in infos if 'img_id' in info]
    return {name: name if owners.setdefault((name,), number) == number else f'{number}/{name}' for name in ids}
