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
        'mmdet::gn+ws/faster-rcnn_r50_fpn_gn-ws-all_1x_coco.py',  # folders that MMEngine takes for no name of a config
        'mmdet::legacy_1.x/retinanet_r50_fpn_1x_coco_v1.py',
        'mmdet::albu_example/mask-rcnn_r50_fpn_albu-1x_coco.py',  # some of its transforms are of another package
        'mmdet::rtmdet/classification/cspnext-s_8xb256-rsb-a1-600e_in1k.py',  # of mmpretrain's classes
        'mmpretrain::resnet/resnet18_8xb32_in1k.py',
        'mmpretrain::twins/twins-svt-small_8xb128_in1k.py',  # _delete in paramwise_cfg, which nothing reads
        'mmseg::segformer/segformer_mit-b0_8xb2-160k_ade20k-512x512.py',
        'mmseg::dnlnet/dnl_r50-d8_4xb2-80k_cityscapes-769x769.py',  # wd_mult, which nothing reads
        'mmseg::vpd/vpd_sd_4xb8-25k_nyu-480x480.py',  # a dict for another package
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
        ({'model.sr.net.mid_chanels': 8}, r"sr\.net: mmagic\.EDSRNet has no argument 'mid_chanels'.* mid_channels\?"),
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
        ({'train_cfg.max_epochs': None}, 'train_cfg: max_epochs=None must be a whole number, 1 or more'),
        ({'train_dataloader.batch_size': None}, 'batch_size=None must be a whole number'),
        ({'train_dataloader.dataset': None}, r'train_dataloader\.dataset=None cannot be built: set a'),
        ({'optim_wrapper.task.optimizer': None}, r'task\.optimizer=None cannot be built'),
        ({'train_dataloader.dataset.pipeline': None}, r'train_dataloader\.dataset\.pipeline=None has no steps: set'),
        ({'val_dataloader.dataset': dict(_delete_=True, type='RepeatDataset', times=2, dataset=dict(pipeline=[]))},
         r'val_dataloader\.dataset\.dataset\.pipeline=\[\] has no steps'),
        ({'val_dataloader.dataset': dict(
            _delete_=True, type='ConcatDataset', datasets=[dict(pipeline=[1]), dict(pipeline=[])])},
         r'val_dataloader\.dataset\.datasets\.1\.pipeline=\[\] has no steps'),
        ({'model.task.test_cfg': None}, r'model\.task\.test_cfg=None, but the task network reads'),
        ({'model.task.test_cfg': dict(mod='slide')}, r"model\.task\.test_cfg has no entry 'mod'"),
        ({'model.task.test_cfg': dict(mode='slide', cropsize=3)}, "test_cfg has no entry 'cropsize'"),
        ({'model.task.train_cfg': dict(rcnn=dict(a=1))}, r"model\.task\.train_cfg has no entry 'rcnn'"),
        ({'model.task.data_preprocessor.test_cfg': dict(size_divisr=32)}, "test_cfg has no entry 'size_divisr'"),
        ({'model.task.decode_head.norm_cfg': dict(type='BN', requires_grd=True)}, "BN has no argument 'requires_grd'"),
        ({'model.task.decode_head.act_cfg': dict(type='ReLu')}, r"act_cfg: the type 'ReLu' is unknown.* ReLU\?"),
        ({'optim_wrapper.task.paramwise_cfg': dict(bias_lr_mul=2)}, "paramwise_cfg has no entry 'bias_lr_mul'"),
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
    {'model.task.test_cfg': dict(mode='slide', crop_size=(64, 64), stride=(32, 32))}, {'model.task.test_cfg': {}},
    {'model.task.decode_head.norm_cfg': dict(type='SyncBN', requires_grad=True)}, {'randomness.seed': None},
    {'optim_wrapper.task.paramwise_cfg': dict(bias_lr_mult=2, custom_keys=dict(mine=dict(lr_mult=2)))},
    {'train_dataloader.dataset': dict(_delete_=True, type='mmdet.MultiImageMixDataset', dataset=dict(pipeline=[]),
                                      pipeline=[dict(type='PackSegInputs')])},
    {'model.tdp': dict(layers={'backbone': 1.0})},
])  # fmt: skip
def test_what_is_right(options, tmp_path):
    cfg = load_config(tiny_config(tmp_path))
    cfg.merge_from_dict(options)
    check_entries(cfg)


def test_blocks_of_any_sr_network_may_run_again():
    cfg = mix('mmpretrain::resnet/resnet18_8xb32_in1k.py')
    cfg.model.sr.with_cp = True  # which EDSR does not take itself
    check_entries(cfg)
    cfg.model.task.with_cp = True
    with pytest.raises(SR4IRError, match=r"model\.task: ImageClassifier has no argument 'with_cp'"):
        check_entries(cfg)


def test_parts_of_a_network_by_names_of_the_user():
    """Such as the heads of mmpretrain's MultiTaskHead; and the settings of mmdet's parts."""
    cfg = mix('mmdet::mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py')
    cfg.model.task.neck.parts = dict(mine=dict(type='FPN'), yours=dict(type='FPN'))
    cfg.model.task.neck.type = Open
    check_entries(cfg)
    cfg.model.task.train_cfg.rpn.assigner.pos_iou_th = 0.7
    with pytest.raises(SR4IRError, match=r"train_cfg\.rpn\.assigner: MaxIoUAssigner .*'pos_iou_th'.* pos_iou_thr\?"):
        check_entries(cfg)
    del cfg.model.task.train_cfg.rpn.assigner['pos_iou_th']
    cfg.model.task.test_cfg.rcnn.score_tresh = 0.7
    with pytest.raises(SR4IRError, match=r"model\.task\.test_cfg\.rcnn has no entry 'score_tresh'"):
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
