"""Checks of a config before anything is built or written."""

import os
from pathlib import Path

import pytest
from mmengine.config import Config

from sr4ir_mm.config import check_data, check_weights, find_checkpoint, load_config
from sr4ir_mm.errors import SR4IRError


def test_missing_data_are_named_with_the_way_out(path):
    cfg = load_config(path)
    way_out = r'Prepare the data there, or name another copy: --cfg-options data_root=PATH'
    with pytest.raises(SR4IRError, match=rf"'data/[ab]' is missing, and \w+ needs it\. {way_out}"):
        check_data(cfg)
    os.makedirs('data/a')
    with pytest.raises(SR4IRError, match=r"'data/a/train\.json' is missing, and Old needs it"):
        check_data(cfg, 'val_dataloader')
    Path('data/a/train.json').touch()
    check_data(cfg, 'val_dataloader')
    check_data(cfg, 'test_dataloader')
    with pytest.raises(SR4IRError, match="'data/b' is missing, and Other needs it"):
        check_data(cfg)
    cfg.train_dataloader.dataset.dataset.datasets[1].data_root = 's3://bucket/b'  # cannot be looked up
    check_data(cfg)


@pytest.mark.parametrize('prefix', ['train', dict(img='train', seg=''), dict(img='train', seg=None)])
def test_missing_folder_of_images(path, prefix):
    cfg = load_config(path, {'val_dataloader.0.dataset.data_prefix': prefix})
    os.makedirs('data/a')
    Path('data/a/train.json').touch()
    with pytest.raises(SR4IRError, match=r"'data/a/train' is missing, and Old needs it"):
        check_data(cfg, 'val_dataloader')
    os.makedirs('data/a/train')
    check_data(cfg, 'val_dataloader')


@pytest.mark.parametrize(
    'type, step, culprit',
    [
        ('CustomDataset', 'PackInputs', "'CustomDataset' is not a data set of mmseg, the library of the task network"),
        ('BaseSegDataset', 'PackInputs', "'PackInputs' is not a transform of mmseg"),
        ('mmpretrain.CustomDataset', 'PackInput', "'PackInput' is not a transform of mmseg"),
        ('mmpretrain.CustomDataset', 'mmpretrain.PackInputs', None),  # SRDataPreprocessor finds it
        ('BaseSegDataset', 'sr4ir_mm.CheckedLoadImageFromFile', None),
    ],
)
def test_types_that_are_unknown_to_the_library_of_t(type, step, culprit):
    """The library is checked first, then the folder, which is missing here."""
    dataset = dict(type=type, data_root='nowhere', pipeline=[dict(type='RandomFlip'), dict(type=step)])
    wrapped = dict(type='RepeatDataset', times=2, dataset=dataset)
    cfg = Config(dict(default_scope='mmseg', train_dataloader=dict(dataset=wrapped)))
    with pytest.raises(SR4IRError, match=culprit or "'nowhere' is missing"):
        check_data(cfg)


def test_missing_weights_are_named_with_the_way_out(path):
    cfg = load_config(path)
    with pytest.raises(SR4IRError, match=r"'sr\.pth' is missing.*model\.sr\.init_cfg\.checkpoint=FILE"):
        check_weights(cfg)
    Path('sr.pth').touch()
    check_weights(cfg)  # the URL is not looked up


def test_checkpoint(path):
    Path('epoch_1.pth').touch()
    for good in ('epoch_1.pth', 'https://host/epoch_1.pth'):
        assert find_checkpoint(good) == good
    for bad in ('epoch_2.pth', '.'):  # not a folder
        with pytest.raises(SR4IRError, match=f"Checkpoint '{bad}' not found"):
            find_checkpoint(bad)
