"""Classes and labels that do not fit end in one message before a checkpoint is written."""

import cv2
import numpy as np
import pytest
from helpers.zoo import TOOLS, make_voc, run_tool, tiny_config

CARS = TOOLS.parent / 'configs/mini/efficientnet-lite0_edsr-s_x4_cars-mini.py'


def make_folders(root, **splits):
    """A folder per class with two images in each, as Stanford Cars is arranged."""
    for split, names in splits.items():
        for name in names:
            (root / split / name).mkdir(parents=True)
            for i in range(2):
                cv2.imwrite(str(root / split / name / f'{i}.jpg'), np.full((64, 64, 3), 99, np.uint8))


def cars(folder, **options) -> list:
    """Arguments of the smallest run on folders."""
    no_workers = {f'{split}_dataloader': dict(num_workers=0, persistent_workers=False) for split in ('train', 'val')}
    options = {
        'data_root': 'cars', 'model.sr.init_cfg': None, 'model.task.backbone.init_cfg': None,
        'train_cfg.max_epochs': 1, 'train_dataloader.batch_size': 2,
        **{f'{loader}.{key}': value for loader, part in no_workers.items() for key, value in part.items()}, **options,
    }  # fmt: skip
    return ['--cfg-options', *(f'{key}={value}' for key, value in options.items())]


@pytest.mark.parametrize(
    'val, message',
    [
        (
            'ac',
            "validation data of 'cars/val' have other classes than the training data of 'cars/train': 'b' is missing.",
        ),
        ('abcd', "only they have 'd'"),
        ('abd', "'c' is missing; only they have 'd'"),
    ],
)
def test_a_validation_folder_that_lacks_a_class(val, message, tmp_path, fails):
    make_folders(tmp_path / 'cars', train='abc', val=val)
    output = fails('train', CARS, *cars(tmp_path, **{'model.task.head.num_classes': 3}))
    assert message in output and 'add folders that are missing; an empty one is enough' in output
    assert not list(tmp_path.rglob('*.pth'))


def test_an_empty_folder_keeps_the_labels_in_place(tmp_path):
    make_folders(tmp_path / 'cars', train='abc', val='ac')
    (tmp_path / 'cars/val/b').mkdir()
    assert run_tool('train', CARS, *cars(tmp_path, **{'model.task.head.num_classes': 3}), cwd=tmp_path) == 0


def test_a_test_on_folders_of_other_names(tmp_path, fails):
    """Of the same number: nothing but the checkpoint tells that the labels mean something else."""
    make_folders(tmp_path / 'cars', train='abc', val='abc')
    options = cars(tmp_path, **{'model.task.head.num_classes': 3})
    assert run_tool('train', CARS, *options, cwd=tmp_path) == 0
    (checkpoint,) = tmp_path.rglob('epoch_1.pth')
    (tmp_path / 'cars/val/b').rename(tmp_path / 'cars/val/d')
    output = fails('test', CARS, checkpoint, *options)
    assert "The test data of 'cars/val' have other classes than the data of the training: 'b' is missing;" in output
    allow = output.partition('--cfg-options ')[2].replace('"', '')
    assert run_tool('test', CARS, checkpoint, *options, allow, cwd=tmp_path) == 0


@pytest.mark.parametrize('classes', [2, 4])
def test_no_config_leaves_out_the_check(classes, tmp_path, fails):
    make_voc(tmp_path / 'voc')
    hooks = dict(_delete_=True, alternating=dict(type='sr4ir_mm.AlternatingUpdateHook'))
    tiny_config(tmp_path, **{'model.task.decode_head.num_classes': classes, 'default_hooks': hooks}, custom_hooks=[])
    assert f'set model.task.decode_head.num_classes=21 (now {classes})' in fails('train', 'tiny.py')


def test_a_difference_that_is_meant_is_logged(tmp_path, capfd):
    make_voc(tmp_path / 'voc')
    options = {'default_hooks.class_check.allow': ['decode_head.num_classes'], 'model.task.decode_head.num_classes': 22}
    tiny_config(tmp_path, **options, **{'train_cfg.max_epochs': 1})
    assert run_tool('train', 'tiny.py', cwd=tmp_path) == 0
    (line,) = [line for line in capfd.readouterr().out.splitlines() if 'allowed:' in line]
    assert "train.txt' have 21 classes" in line and 'decode_head.num_classes=21 (now 22)' in line


@pytest.mark.parametrize('workers', [0, 1])
@pytest.mark.parametrize(
    'mask, message',
    [
        (
            np.full((64, 64), 77, np.uint8),
            'has the value 77, but the data set has 21 classes (0 to 20; 255 is ignored)',
        ),
        (np.zeros((64, 64, 3), np.uint8), 'has 3 channels, but a mask needs one'),
        (np.zeros((64, 60), np.uint8), 'has 60 x 64 px, but its image has 64 x 64 px'),
    ],
    ids=['value', 'rgb', 'size'],
)
def test_masks_are_named(mask, message, workers, tmp_path, fails):
    make_voc(tmp_path / 'voc')
    cv2.imwrite(str(tmp_path / 'voc/SegmentationClass/2.png'), mask)
    tiny_config(tmp_path, **{'train_dataloader.num_workers': workers})
    output = fails('train', 'tiny.py')
    assert f"Mask 'voc/SegmentationClass/2.png' {message}" in output
    assert not list(tmp_path.rglob('*.pth'))


@pytest.mark.parametrize(
    'entry, message',
    [
        (dict(metainfo=dict(classes='cat')), "the text 'cat', not a list of names"),
        (dict(metainfo=dict(classes=('cat', 'Dog'))), "it has no class 'Dog' (nearest: 'dog')"),
        (dict(img_suffix='.png'), "Image 'voc/JPEGImages/"),
        (
            dict(type='BaseSegDataset', ann_file='', img_suffix='.bmp'),
            "has no image with the suffix '.bmp', but 4 with '.jpg': set img_suffix",
        ),
        (dict(img_sufix='.png'), "PascalVOCDataset has no argument 'img_sufix'"),
    ],
)
def test_entries_of_the_data_set(entry, message, tmp_path, fails):
    make_voc(tmp_path / 'voc')
    tiny_config(tmp_path, **{'train_dataloader.dataset': entry})
    assert message in fails('train', 'tiny.py')
    assert not list(tmp_path.rglob('*.pth'))
