"""Folds of cross-validation: every image is tested once, classes are kept apart evenly, and filters come later."""

import json
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.registry import DATASETS, init_default_scope

import sr4ir_mm  # noqa: F401
from sr4ir_mm.errors import SR4IRError

PACK = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]


def write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.zeros((8, 10, 3), np.uint8))


@pytest.fixture
def leaves(tmp_path) -> list[dict]:
    """Two data sets of mmpretrain with 16 and 9 images of three classes."""
    init_default_scope('mmpretrain')
    for split, numbers in (('train', (7, 6, 3)), ('val', (3, 3, 3))):
        for name, number in zip('abc', numbers):
            for i in range(number):
                write(tmp_path / f'{split}/{name}/{split}_{i}.png')
    return [dict(type='CustomDataset', data_root=str(tmp_path), data_prefix=split, pipeline=PACK)
            for split in ('train', 'val')]  # fmt: skip


def fold(leaves: list[dict], number: int = 1, folds: int = 3, **options):
    return DATASETS.build(dict(type='sr4ir_mm.Fold', datasets=leaves, fold=number, folds=folds, **options))


def paths(dataset) -> list[str]:
    return [dataset.get_data_info(i)['img_path'] for i in range(len(dataset))]


def test_every_image_is_tested_once_and_trained_in_all_other_folds(leaves):
    tested = [paths(fold(leaves, number, test=True)) for number in (1, 2, 3)]
    trained = [paths(fold(leaves, number)) for number in (1, 2, 3)]
    every = sorted(path for part in tested for path in part)
    assert len(every) == len(set(every)) == 25
    for one, others in zip(tested, trained):
        assert sorted([*one, *others]) == every


def test_folds_and_their_classes_are_of_one_size(leaves):
    tests = [fold(leaves, number, test=True) for number in (1, 2, 3)]
    assert max(map(len, tests)) - min(map(len, tests)) <= 2  # one for each data set
    for dataset in tests:
        labels = Counter(dataset.get_data_info(i)['gt_label'] for i in range(len(dataset)))
        assert labels[0] in (3, 4) and labels[1] == 3 and labels[2] == 2
        assert dataset.metainfo['classes'] == ('a', 'b', 'c')


def test_names_and_seed_decide_and_nothing_else(leaves, tmp_path):
    first = {Path(path).relative_to(tmp_path) for path in paths(fold(leaves, test=True))}
    np.random.seed(5)
    again = {Path(path).relative_to(tmp_path) for path in paths(fold(leaves[::-1], test=True))}
    other = {Path(path).relative_to(tmp_path) for path in paths(fold(leaves, test=True, seed=1))}
    assert first == again != other


def test_it_loads_images(leaves):
    dataset = fold(leaves)
    assert dataset[len(dataset) - 1]['inputs'].shape == (3, 8, 10)


def test_rare_classes_can_be_repeated(leaves):
    part = dict(type='sr4ir_mm.Fold', datasets=leaves, fold=1, folds=3)
    balanced = DATASETS.build(dict(type='ClassBalancedDataset', dataset=part, oversample_thr=0.5))
    balanced.full_init()
    labels = Counter(balanced.get_data_info(i)['gt_label'] for i in range(len(balanced)))
    assert labels[2] > Counter(fold(leaves).get_data_info(i)['gt_label'] for i in range(len(fold(leaves))))[2]


def test_an_image_of_both_data_sets_would_leak(leaves):
    with pytest.raises(SR4IRError, match=r"_0\.png' is in two data sets that are divided into folds"):
        fold([leaves[0], leaves[0]])
    with pytest.raises(SR4IRError, match=r'is in two data sets'):  # by another path
        fold([leaves[0], dict(leaves[0], data_root=f'{leaves[0]["data_root"]}/.')])


@pytest.mark.parametrize(('number', 'folds'), [(0, 3), (4, 3), (1, 1), (1.5, 3)])
def test_a_fold_that_does_not_exist(number, folds, leaves):
    with pytest.raises(SR4IRError, match='Fold: fold'):
        fold(leaves, number, folds)


def test_a_fold_without_images(leaves):
    with pytest.raises(SR4IRError, match=r'Fold 26 of 26 has no image: make fewer folds\.'):
        fold(leaves, 26, 26, test=True)
    assert len(fold(leaves, 12, 16, test=True)) == 1  # of the larger data set


# ---- detection


@pytest.fixture
def coco(tmp_path) -> list[dict]:
    """Two data sets in COCO's format with the same ids; every second image has no object."""
    init_default_scope('mmdet')
    parts = []
    for split in ('train', 'val'):
        images = [dict(id=i, file_name=f'{split}_{i}.png', width=10, height=8) for i in range(8)]
        objects = [dict(id=i, image_id=i, category_id=1, bbox=[1, 1, 5, 5], area=25, iscrowd=0) for i in (1, 3, 5, 7)]
        content = dict(images=images, annotations=objects, categories=[dict(id=1, name='ship')])
        (tmp_path / f'{split}.json').write_text(json.dumps(content))
        for image in images:
            write(tmp_path / image['file_name'])
        parts.append(dict(type='CocoDataset', data_root=str(tmp_path), ann_file=f'{split}.json',
                          data_prefix=dict(img=''),
                          metainfo=dict(classes=('ship',)), pipeline=[]))  # fmt: skip
    return parts


def test_a_filter_of_the_training_does_not_move_images_to_another_fold(coco):
    kept = [dict(part, filter_cfg=dict(filter_empty_gt=True)) for part in coco]
    whole, filtered = paths(fold(coco)), paths(fold(kept))
    assert 0 < len(filtered) < len(whole) and set(filtered) <= set(whole)
    tested = paths(fold([dict(part, test_mode=True) for part in coco], test=True))
    assert not set(tested) & set(whole) and len(tested) + len(whole) == 16


def test_ids_of_images_differ(coco):
    dataset = fold(coco)
    ids = [dataset.get_data_info(i)['img_id'] for i in range(len(dataset))]
    assert len(set(ids)) == len(ids) and 0 < sum(isinstance(name, int) for name in ids) < len(ids)
