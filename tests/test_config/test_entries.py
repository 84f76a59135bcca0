"""Mistakes in a config that would be ignored, or end in the traceback of a class, before a training."""

from pathlib import Path

import pytest
from helpers.zoo import tiny_config
from mmengine.config import Config
from mmengine.registry import HOOKS

from sr4ir_mm.config import load_config, mix
from sr4ir_mm.config.entries import check_entries
from sr4ir_mm.errors import SR4IRError

CONFIGS = Path(__file__).parents[2] / 'configs'
SHIPPED = [path for path in sorted(CONFIGS.glob('[!_]*/*.py')) if path.parent.name != 'zoo']


@pytest.mark.parametrize('path', SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_configs_pass(path):
    check_entries(load_config(path))


@pytest.mark.parametrize(
    'task',
    [
        'mmdet::dcn/faster-rcnn_r50-dconv-c3-c5_fpn_1x_coco.py',  # its backbone takes entries out of a dict
        'mmdet::yolox/yolox_tiny_8xb8-300e_coco.py',
        'mmdet::albu_example/mask-rcnn_r50_fpn_albu-1x_coco.py',  # some of its transforms are of another package
        'mmpretrain::resnet/resnet18_8xb32_in1k.py',
        'mmseg::segformer/segformer_mit-b0_8xb2-160k_ade20k-512x512.py',
    ],
)
def test_mixes_pass(task):
    check_entries(mix(task))


@pytest.mark.parametrize(
    'wrong, right',
    [
        ('modle', 'model'),
        ('default_hook', 'default_hooks'),
        ('custom_hoks', 'custom_hooks'),
        ('param_schedulers', 'param_scheduler'),
        ('train_datloader', 'train_dataloader'),
    ],
)
def test_a_misspelled_entry_of_a_file(wrong, right, tmp_path):
    path = tiny_config(tmp_path)
    text = path.read_text()
    path.write_text(f'{text}\n{wrong} = dict(a=1)\n')
    with pytest.raises(SR4IRError, match=rf"Nothing reads the entry '{wrong}' of 'tiny\.py'\. Did you mean {right}\?"):
        check_entries(load_config(path))
    path.write_text(f'{text}\n{wrong} = dict(a=1)\nother = {wrong}\n')  # a variable, which the file uses
    check_entries(load_config(path))


@pytest.mark.parametrize(
    'options, words',
    [
        ({'model.sr.mid_chanels': 8}, r"model\.sr: mmagic\.EDSRNet has no argument 'mid_chanels'.* mid_channels\?"),
        ({'model.task.decode_head.num_clases': 2}, "has no argument 'num_clases'. Did you mean num_classes"),
        ({'model.task.backbone.type': 'ResNett'}, r"task\.backbone: the type 'ResNett' is unknown.* mean ResNet"),
        ({'model.sr.type': 'mmagic.EDSRNett'}, "the type 'mmagic.EDSRNett' is unknown"),
        ({'optim_wrapper.sr.optimizer.type': 'Adamm'}, r"sr\.optimizer: the type 'Adamm' is unknown.* mean Adam"),
        ({'optim_wrapper.sr.optimizer.momentum': 0.9}, "AdamW has no argument 'momentum'"),
        ({'default_hooks.logger.intervall': 1}, "Hook has no argument 'intervall'. Did you mean interval"),
        ({'train_dataloader.sampler.shufle': True}, "DefaultSampler has no argument 'shufle'. Did you mean shuffle"),
        ({'train_dataloader.dataset.ann_fil': 'a'}, "Dataset has no argument 'ann_fil'. Did you mean ann_file"),
        ({'default_scope': 'nope'}, "The package 'nope' is not installed. Install it, or correct default_scope"),
        ({'train_dataloader.batch_size': 0}, 'train_dataloader: batch_size=0 must be a whole number, 1 or more'),
        ({'test_dataloader.batch_size': 1.5}, 'test_dataloader: batch_size=1.5 must be a whole number'),
        ({'train_dataloader.num_workers': -1}, 'num_workers=-1 must be a whole number, 0 or more'),
        ({'val_dataloader.persistent_workers': True},
         r'needs workers, but num_workers is 0\. Add --cfg-options val_dataloader\.persistent_workers=False'),
        ({'train_cfg.max_epochs': 0}, 'train_cfg: max_epochs=0 must be a whole number, 1 or more'),
        ({'train_cfg.val_interval': 0}, 'val_interval=0 must be'),
        ({'randomness.seed': -1}, 'seed=-1 must be'),
        ({'optim_wrapper.sr.optimizer.lr': -1}, r'optim_wrapper\.sr\.optimizer: lr=-1 must be a number, 0 or more'),
        ({'optim_wrapper.task.accumulative_counts': 0}, 'accumulative_counts=0 must be'),
        ({'auto_scale_lr.enable': True}, r'auto_scale_lr\.base_batch_size=NUMBER, or leave out --auto-scale-lr'),
        ({'val_evaluator': None}, 'has no val_evaluator: set val_dataloader, val_cfg, val_evaluator, or to None'),
        ({'train_dataloader': None}, 'has no train_dataloader: set train_dataloader, train_cfg, optim_wrapper'),
        ({'model': None}, 'has no model'),
        ({'log_level': 'FOO'}, r"log_level='FOO' is unknown; choose from DEBUG"),
        ({'randomness': None}, 'randomness=None is no dict: set randomness.seed'),
        ({'load_from': 5}, 'load_from=5 is no checkpoint'),
        ({'env_cfg': None}, 'env_cfg=None is no dict'),
        ({'env_cfg.cudnn_benchmrk': True}, r"env_cfg has no entry 'cudnn_benchmrk'\. Did you mean cudnn_benchmark\?"),
        ({'optim_wrapper.sr.clip_grad': dict(maxnorm=1)}, "clip_grad has no entry 'maxnorm'. Did you mean max_norm"),
        ({'train_cfg.val_intervall': 2}, "train_cfg has no entry 'val_intervall'. Did you mean val_interval"),
        ({'runner_type': 'FlexibleRunner'}, "runner_type='FlexibleRunner' is not used"),
        ({'find_unused_parameters': True}, r'no effect here: set model_wrapper_cfg\.find_unused_parameters'),
        ({'model.task.data_preprocessor.mean': [0]}, r'data_preprocessor: mean=\[0\] and std=.* one value for'),
        ({'model.task.decode_head.num_classes': 0}, r'model\.task\.decode_head: num_classes=0 must be'),
        ({'param_scheduler.0.T_max': 0}, 'T_max=0 must be'),
        ({'train_dataloader.sampler.type': 'InfiniteSampler'}, 'InfiniteSampler has no end, but train_cfg'),
        ({'param_scheduler': dict(_delete_=True, sr=None)}, r'param_scheduler\.sr=None is no schedule.* \[\] for a'),
    ],
)  # fmt: skip
def test_mistakes_of_a_file(options, words, tmp_path):
    cfg = load_config(tiny_config(tmp_path))
    cfg.merge_from_dict(options)
    with pytest.raises(SR4IRError, match=words):
        check_entries(cfg)


@pytest.mark.parametrize('options', [
    {'param_scheduler': None}, {'visualizer': None}, {'train_cfg.val_interval': 57300.0},
    {'val_dataloader': None, 'val_cfg': None, 'val_evaluator': None},
    {'optim_wrapper.sr.optimizer.betas': (0.9, 0.99)}, {'train_dataloader.dataset.indices': 2}, {'randomness.seed': 0},
    {'find_unused_parameters': True, 'model_wrapper_cfg.find_unused_parameters': True},
    {'default_hooks.class_check': None}, {'default_hooks.checkpoint.priority': 'LOW'},
    {'model.sr.init_cfg': [dict(type='Pretrained', checkpoint='a.pth')]},
])  # fmt: skip
def test_what_is_right(options, tmp_path):
    cfg = load_config(tiny_config(tmp_path))
    cfg.merge_from_dict(options)
    check_entries(cfg)


class Open:
    """A hook that takes what it is given."""

    def __init__(self, **kwargs: object) -> None:
        self.options = dict(kwargs)


def test_a_class_of_the_user():
    """What it does with further arguments cannot be told."""
    HOOKS.register_module(module=Open, force=True)
    entries = dict(model=dict(a=1), train_dataloader=dict(), train_cfg=dict(), optim_wrapper=dict())
    check_entries(Config(dict(entries, custom_hooks=[dict(type='Open', anything=1), dict(type=Open, anything=1)])))
