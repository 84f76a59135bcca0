"""--cfg-options: legitimate new entries pass, what nothing reads is an error with the nearest key."""

import inspect
import re
from pathlib import Path

import pytest
from mmengine.runner import Runner

from sr4ir_mm import mix
from sr4ir_mm.config import load_config, load_run
from sr4ir_mm.config.arguments import ENTRIES
from sr4ir_mm.config.building import model_config
from sr4ir_mm.errors import SR4IRError

SEGMENTATION, DETECTION = 'deeplabv3_edsr_x4_voc', 'faster-rcnn_edsr_x4_voc'
RETINANET = 'mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'


def test_the_entries_are_what_mmengine_reads():
    named = set(inspect.signature(Runner.__init__).parameters) - {'self', 'cfg'}
    read = set(re.findall(r"cfg\.get\(\s*'(\w+)'", Path(inspect.getfile(Runner)).read_text()))
    assert named <= ENTRIES
    assert {'model_wrapper_cfg', 'sync_bn', 'compile', 'find_unused_parameters'} <= read & ENTRIES


@pytest.mark.parametrize(
    'key, value',
    [
        ('model.tdp.relative', True),
        ('model.cqmix.prob', 0.5),
        ('model.sr.res_scale', 0.1),
        ('model.sr.init_cfg.checkpoint', 'a.pth'),
        ('model.task.decode_head.dropout_ratio', 0.2),  # an argument of the parent class
        ('model.task.test_cfg.crop_size', (64, 64)),  # read by the class that holds the dict
        ('optim_wrapper.sr.clip_grad.max_norm', 1),
        ('optim_wrapper.sr.optimizer.betas', (0.9, 0.99)),
        ('optim_wrapper.task.paramwise_cfg.norm_decay_mult', 0),
        ('optim_wrapper.task.paramwise_cfg.custom_keys.backbone', dict(lr_mult=0.1)),
        ('env_cfg.dist_cfg.timeout', 1800),
        ('train_cfg.val_begin', 2),
        ('train_dataloader.prefetch_factor', 4),
        ('train_dataloader.dataset.indices', 10),
        ('test_dataloader.dataset.pipeline.0.imdecode_backend', 'pillow'),
        ('default_hooks.checkpoint.published_keys', ['meta']),
        ('default_hooks.ema', dict(type='EMAHook')),
        ('custom_hooks', [dict(type='EMAHook')]),
        ('randomness.deterministic', True),
        ('auto_scale_lr.base_batch_size', 16),
        ('model.tdp.layers.backbone', 1.0),
        ('visualizer.alpha', 0.5),
        ('log_processor.window_size', 5),
        ('param_scheduler', None),
        ('val_evaluator.0.iou_metrics', ['mFscore']),
        ('work_dir', 'mine'),
    ],
)
def test_what_is_read(key, value):
    """A new entry that is an argument of its class, or that the code around it reads."""
    cfg = load_config(SEGMENTATION, {key: value})
    node = cfg
    for part in key.split('.'):
        node = node[int(part)] if part.isdigit() else node[part]
    assert node == value


@pytest.mark.parametrize(
    'config, key, words',
    [
        (SEGMENTATION, 'modle.scheme', r"unknown in 'deeplabv3_edsr_x4_voc\.py'\. Did you mean model\.scheme\?"),
        (SEGMENTATION, 'schem', r"'schem' is unknown"),
        (SEGMENTATION, 'model.schem', r"'schem' is unknown in model\. Did you mean model\.scheme"),
        (SEGMENTATION, 'model.tdp.relativ', r'Did you mean model\.tdp\.relative\?'),
        (SEGMENTATION, 'model.cqmix.grd', r'Did you mean model\.cqmix\.grid'),
        (SEGMENTATION, 'model.sr.mid_chanels', r'Did you mean model\.sr\.mid_channels'),
        (SEGMENTATION, 'mid_channels', r'Did you mean model\.sr\.mid_channels'),
        (SEGMENTATION, 'model.task.decode_head.num_clases', r'Did you mean model\.task\.decode_head\.num_classes'),
        (SEGMENTATION, 'model.task.test_cfg.stryde', r"'stryde' is unknown in model\.task\.test_cfg"),
        (SEGMENTATION, 'optim_wrapper.optimizer.lr', r'Did you mean optim_wrapper\.task\.optimizer\.lr or opt'),
        (SEGMENTATION, 'optim_wrapper.sr.clip_grad.maxnorm', r'Did you mean optim_wrapper\.sr\.clip_grad\.max_norm'),
        (SEGMENTATION, 'env_cfg.cudnn_benchmrk', r'Did you mean env_cfg\.cudnn_benchmark'),
        (SEGMENTATION, 'train_cfg.max_epoch', r'Did you mean train_cfg\.max_epochs'),
        (SEGMENTATION, 'train_dataloader.batchsize', r'Did you mean train_dataloader\.batch_size'),
        (SEGMENTATION, 'randomness.sed', r'Did you mean randomness\.seed'),
        (SEGMENTATION, 'default_hooks.checkpiont.interval', r'Did you mean default_hooks\.checkpoint\.interval'),
        (SEGMENTATION, 'custom_hooks.0.type', r"'0' is unknown in custom_hooks"),
        (SEGMENTATION, 'custom_imports', r"'custom_imports' is unknown"),  # imported when the file was read
        (SEGMENTATION, 'train_dataloader.dataset.pipeline.99.prob', r'pipeline is a list of 6 entries\. Its'),
        (SEGMENTATION, 'val_evaluator.iou_metrics', r'val_evaluator is a list of 2 entries\. .* val_evaluator\.0'),
        (SEGMENTATION, 'val_evaluator.0', r'an entry of a list, such as val_evaluator\.0\. Set val_evaluator itself'),
        (SEGMENTATION, 'model.task.data_preprocessor.mean.0', r'Set model\.task\.data_preprocessor\.mean itself'),
        (SEGMENTATION, 'model.scale.x', r'has no model\.scale\.x, because model\.scale is 4\. Set model\.scale itself'),
        (SEGMENTATION, 'scale', r'scale is a variable of .*, used only while the file was read\. Set model\.scale'),
        (SEGMENTATION, 'sr.mid_channels', r'sr is a variable of .*Set model\.sr\.mid_channels\.'),
        (SEGMENTATION, 'train_pipeline', r'train_pipeline is a variable of .*Set train_dataloader\.dataset\.pipeline'),
        (DETECTION, 'model.task.test_cfg.rcnn.scor_thr', r'Did you mean model\.task\.test_cfg\.rcnn\.score_thr'),
        (DETECTION, 'model.task.roi_heads.x', r'Did you mean model\.task\.roi_head or '),
    ],
)  # fmt: skip
def test_what_nothing_reads(config, key, words):
    with pytest.raises(SR4IRError, match=words):
        load_config(config, {key: 1})


def test_arguments_of_a_type_that_the_options_set_too():
    options = {'optim_wrapper.sr.optimizer.type': 'SGD', 'optim_wrapper.sr.optimizer.momentum': 0.9}
    assert load_config(SEGMENTATION, options).optim_wrapper.sr.optimizer.momentum == 0.9
    with pytest.raises(SR4IRError, match=r"'momentum' is unknown in optim_wrapper\.sr\.optimizer"):
        load_config(SEGMENTATION, {'optim_wrapper.sr.optimizer.momentum': 0.9})


def test_nested_options_from_python():
    assert mix(RETINANET, model=dict(tdp=dict(loss_weight=0.1))).model.tdp.loss_weight == 0.1
    with pytest.raises(SR4IRError, match=r"'model\.tdp\.loss_wait': .* Did you mean model\.tdp\.loss_weight"):
        mix(RETINANET, model=dict(tdp=dict(loss_wait=0.1)))
    new = dict(_delete_=True, type='mmagic.SRCNNNet', upscale_factor=4)  # its entries are checked before a training
    assert mix(RETINANET, model=dict(sr=new)).model.sr == dict(type='mmagic.SRCNNNet', upscale_factor=4)
    new = dict(clip_grad=dict(_delete_=True, max_norm=1.0))  # there is none that it deletes
    assert mix(RETINANET, optim_wrapper=dict(sr=new)).optim_wrapper.sr.clip_grad == dict(max_norm=1.0)


def test_a_scheme_without_the_network():
    with pytest.raises(SR4IRError, match=r'no model\.sr\.mid_channels, because model\.sr is None'):
        load_run(SEGMENTATION, 'h2t', {'model.sr.mid_channels': 8})


def test_a_preprocessor_next_to_the_model_takes_options_without_the_task_network_too():
    cfg = mix('mmpretrain::resnet/resnet18_8xb32_in1k.py', scheme='s', **{'data_preprocessor.mean': [1, 2, 3]})
    assert model_config(cfg).data_preprocessor.mean == [1, 2, 3]
    assert model_config(cfg).data_preprocessor.type == 'ClsDataPreprocessor'


# ---- data_root


def test_a_new_data_root_reaches_the_evaluators():
    """Those of COCO read the annotations themselves: at the old place the old data would be scored."""
    for root in ('/mnt/coco', '/mnt/coco/'):
        cfg = mix(RETINANET, data_root=root)
        loaders = (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader)
        assert [loader.dataset.data_root for loader in loaders] == [root] * 3
        for evaluator in (cfg.val_evaluator, cfg.test_evaluator):
            assert evaluator.ann_file == '/mnt/coco/annotations/instances_val2017.json'
    cfg = mix('mmdet::panoptic_fpn/panoptic-fpn_r50_fpn_1x_coco.py', data_root='/mnt')
    assert cfg.val_evaluator.seg_prefix == '/mnt/annotations/panoptic_val2017/'


def test_an_option_of_its_own_wins_over_data_root():
    cfg = mix(RETINANET, **{'data_root': '/mnt', 'val_evaluator.ann_file': 'data/coco/mine.json'})
    assert cfg.val_evaluator.ann_file == 'data/coco/mine.json' and cfg.test_evaluator.ann_file.startswith('/mnt/')


@pytest.mark.parametrize('key', ['data_root', 'ann_file'])
def test_an_evaluator_that_would_read_other_annotations_than_its_data_set(key):
    words = r"test_evaluator still reads 'data/coco/annotations/instances_val2017\.json', but test_dataloader now has"
    with pytest.raises(SR4IRError, match=words):
        mix(RETINANET, **{f'test_dataloader.dataset.{key}': 'mine'})
    both = {'test_dataloader.dataset.ann_file': 'a.json', 'test_evaluator.ann_file': 'data/coco/a.json'}
    assert mix(RETINANET, **both).test_evaluator.ann_file == 'data/coco/a.json'


CONFIG = """
data_root = 'data'
train_dataloader = dict(dataset=dict(
    type='A', data_root='data', data_prefix=dict(img='data/images', seg='data'), ann_file='data/a.json',
    pipeline=[dict(type='L', file='data/p.npy', name='data')]))
val_dataloader = dict(dataset=dict(
    type='A', data_root='', data_prefix=dict(img='data/images'), ann_file='./data/a.json'))
test_dataloader = dict(dataset=dict(type='A', data_root='/data', ann_file='/data/data/a.json', labels='dataset/b.txt'))
model = dict(loss=dict(class_weight='data/w.npy'), init_cfg=dict(type='Pretrained', checkpoint='data/w.pth'))
load_from = 'data/a.pth'
"""


def test_every_path_below_the_old_root_moves_and_nothing_else(tmp_path):
    (tmp_path / 'a.py').write_text(CONFIG)
    cfg = load_config(tmp_path / 'a.py', {'data_root': 'data/new'})
    # what MMEngine joins with the root of the data set is below it already
    assert cfg.train_dataloader.dataset == dict(
        type='A', data_root='data/new', data_prefix=dict(img='data/images', seg='data'), ann_file='data/a.json',
        pipeline=[dict(type='L', file='data/new/p.npy', name='data')],
    )  # fmt: skip
    assert cfg.val_dataloader.dataset.data_prefix.img == 'data/new/images'
    assert cfg.val_dataloader.dataset.ann_file == 'data/new/a.json'
    old = load_config(tmp_path / 'a.py')
    assert cfg.test_dataloader == old.test_dataloader
    assert cfg.model.loss.class_weight == 'data/new/w.npy'
    assert (cfg.model.init_cfg, cfg.load_from) == (old.model.init_cfg, 'data/a.pth')  # weights are no data


@pytest.mark.parametrize('root', [None, '', 1, ['a']])
def test_a_data_root_that_is_no_path(root):
    with pytest.raises(SR4IRError, match='is no path: give a folder'):
        load_config(SEGMENTATION, {'data_root': root})
