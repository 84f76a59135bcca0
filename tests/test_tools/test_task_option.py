"""The option --task of the training tool: a network of transformers for the data of a config."""

import shutil
from pathlib import Path

import pytest
import torch
from helpers.hf import SEGMENTORS, write
from helpers.zoo import make_voc, run_tool
from mmengine.config import Config

from sr4ir_mm.config import load_config, mix
from sr4ir_mm.models import SpandrelSR

NAME = 'SegformerForSemanticSegmentation'
DATA = """
_base_ = 'mmseg::fcn/fcn_r18-d8_4xb2-80k_cityscapes-512x1024.py'
metainfo = dict(classes=tuple('abcde'), palette=[[i, i, i] for i in range(5)])
model = dict(data_preprocessor=dict(size=(64, 64)))
load, labels, pack = dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'), dict(type='PackSegInputs')
voc = dict(_delete_=True, type='BaseSegDataset', data_root='voc', metainfo=metainfo, pipeline=[load, labels, pack],
           data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
           ann_file='ImageSets/Segmentation/train.txt')
train_dataloader = dict(batch_size=2, num_workers=0, persistent_workers=False, dataset=voc)
val_dataloader = dict(num_workers=0, persistent_workers=False, dataset=voc)
test_dataloader = val_dataloader
train_cfg = dict(max_iters=2, val_interval=2)
optim_wrapper = dict(optimizer=dict(_delete_=True, type='AdamW', lr=1e-4))
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with data, their config, and a network for other classes."""
    make_voc(tmp_path / 'voc')
    (tmp_path / 'data.py').write_text(DATA)
    write(tmp_path / 'net', NAME, SEGMENTORS[NAME], ['x', 'y'])
    return tmp_path


def test_train_and_test_without_the_folder(folder):
    """The run holds the network; so it is tested without the folder that it started from."""
    train = ('--task', 'net', '--sr', 'edsr-tiny', '--data', 'data.py', '--work-dir', 'run', '--no-plots')
    assert run_tool('train', *train, cwd=folder) == 0
    shutil.rmtree(folder / 'net')
    assert run_tool('test', 'run', cwd=folder) == 0
    state = torch.load(folder / 'run/iter_2.pth', weights_only=False)['state_dict']
    assert state['task.net.decode_head.classifier.weight'].shape[0] == 5


def test_a_training_is_resumed_without_the_files_that_it_started_from(folder):
    """To the last bit, with all that changes how the networks run, in the middle of an accumulation."""
    pytest.importorskip('spandrel')
    span = SpandrelSR('SPAN', dict(num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=4))
    torch.save(span.net.state_dict(), folder / 'span.pth')
    (folder / 'data.py').write_text(
        DATA.replace('lr=1e-4)', 'lr=1e-4), accumulative_counts=2').replace('val_interval=2', 'val_interval=100')
        + "custom_hooks = [dict(type='EMAHook', momentum=0.3)]\ndefault_hooks = dict(checkpoint=dict(interval=1))\n"
    )
    options = ('--no-plots', '--amp', '--cfg-options', 'train_cfg.max_iters=4', 'model.channels_last=True')
    train = ('--task', 'net', '--sr', 'span.pth', '--data', 'data.py', '--work-dir', 'run', *options)
    assert run_tool('train', *train, 'model.sr.with_cp=True', cwd=folder) == 0
    shutil.rmtree(folder / 'net')
    (folder / 'span.pth').unlink()
    straight = torch.load(folder / 'run/iter_4.pth', weights_only=False)
    (folder / 'run/iter_4.pth').unlink()  # as if it had been interrupted before
    (folder / 'run/last_checkpoint').write_text('run/iter_3.pth')
    assert run_tool('train', 'run', '--resume', '--no-plots', cwd=folder) == 0
    again = torch.load(folder / 'run/iter_4.pth', weights_only=False)
    for part in ('state_dict', 'ema_state_dict'):
        assert straight[part].keys() == again[part].keys()
        assert all(torch.equal(value, again[part][key]) for key, value in straight[part].items())
    before = torch.load(folder / 'run/iter_3.pth', weights_only=False)['state_dict']
    assert not all(torch.equal(value, before[key]) for key, value in again['state_dict'].items())
    assert load_config(folder / 'run').model.sr.init_cfg.checkpoint == 'span.pth'  # where it came from


def test_the_sr_network_of_an_earlier_training(folder):
    """Also one that has no weights anywhere else, in a wrapper; under the name of its folder."""
    pytest.importorskip('spandrel')
    (folder / 'span.py').write_text(
        "scale = 4\nsr = dict(type='sr4ir_mm.BilinearSkip', net=dict(type='sr4ir_mm.SpandrelSR', architecture='SPAN', "
        'parameters=dict(num_in_ch=3, num_out_ch=3, feature_channels=8)))\n'
    )
    options = ('--data', 'data.py', '--task', 'net', '--no-plots')
    assert run_tool('train', *options, '--sr', 'span.py', '--scheme', 's', '--work-dir', 'first', cwd=folder) == 0
    options += ('--cfg-options', 'optim_wrapper.sr.optimizer.lr=0')
    assert run_tool('train', *options, '--sr', 'first/iter_2.pth', '--scheme', 'st', cwd=folder) == 0
    first, second = (
        torch.load(folder / path / 'iter_2.pth', weights_only=False)['state_dict']
        for path in ('first', 'work_dirs/data_net_first-iter-2_x4_st')
    )
    names = [name for name in first if name.startswith('sr.')]
    assert names and all(torch.equal(first[name], second[name]) for name in names)


def test_an_sr_network_of_an_earlier_training_that_does_not_fit(folder, fails, monkeypatch):
    monkeypatch.chdir(folder)
    cfg = mix('data.py', 'edsr-tiny', network='net', scheme='H->T')
    torch.save(dict(meta=dict(cfg=cfg.pretty_text), state_dict=dict(x=torch.ones(1))), 'h2t.pth')
    assert 'is of a training without a super-resolution' in fails('train', 'data.py', '--sr', str(folder / 'h2t.pth'))
    cfg.model.update(sr=dict(type='mmagic.EDSRNet'), scheme='S')
    torch.save(dict(meta=dict(cfg=cfg.pretty_text), state_dict=dict(x=torch.ones(1))), 'x4.pth')
    arguments = ('data.py', '--sr', str(folder / 'x4.pth'), '--scale', '2')
    assert 'is of a training with scale=4, not 2: set --scale 4' in fails('train', *arguments)


def test_the_config_of_a_few_lines(folder, monkeypatch):
    arguments = ('data.py', '--task', 'net', '--sr', 'edsr-tiny')
    assert run_tool('train', *arguments, '--write-config', 'mine.py', cwd=folder) == 0
    monkeypatch.chdir(folder)
    task = load_config('mine.py').model.task
    assert task.architecture == NAME and task.num_classes == 5 and task.data_preprocessor.size == (64, 64)
    assert Config.fromfile('mine.py').model.task.pretrained == 'net'


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (('--task', 'net', '--sr', 'edsr'), 'Name one config'),
        (('data.py', '--data', 'data.py', '--sr', 'edsr'), 'Name one config'),
        (('data.py', '--task', 'net', '--sr', 'edsr', '--pretrained'), 'leave out --pretrained'),
        (('data.py', '--task', 'net', '--sr', 'edsr', '--cfg-options', 'load_from=x.pth'), 'leave out --pretrained'),
        (('faster-rcnn_edsr_x4_voc', '--task', 'net'), 'already has both networks'),
        (('data.py', '--task', 'net'), '--sr edsr'),
        (('data.py', '--task', 'voc', '--sr', 'edsr'), 'config.json is missing'),
    ],
)
def test_what_is_refused(folder, fails, arguments, message):
    assert message in fails('train', *arguments)
