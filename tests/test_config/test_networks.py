"""Entries for the two networks that MMEngine would ignore, or miss late; options of a zoo's config after mixing."""

from functools import reduce

import pytest
from helpers.zoo import tiny_config
from mmengine.config import Config

from sr4ir_mm import mix
from sr4ir_mm.config import load_config
from sr4ir_mm.config.networks import check_networks
from sr4ir_mm.config.schemes import load_run
from sr4ir_mm.errors import SR4IRError

RETINANET = 'mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'
FCN = 'mmseg::fcn/fcn_r50-d8_4xb2-40k_cityscapes-512x1024.py'
RESNET = 'mmpretrain::resnet/resnet18_8xb32_in1k.py'


@pytest.fixture(scope='module')
def mixed() -> dict:
    return mix(RETINANET).to_dict()


@pytest.mark.parametrize('changes, message', [
    ({}, None),
    ({'param_scheduler': None}, None),
    ({'param_scheduler': dict(sr=[], task=[])}, None),
    ({'param_scheduler': dict(task=[])}, "param_scheduler has no 'sr', a network that is trained: add .* or sr=.. for"),
    ({'param_scheduler': dict(task=[]), 'model.scheme': 'H->T'}, None),
    ({'param_scheduler': dict(sr=[], task=None)}, "param_scheduler has no 'task'"),
    ({'param_scheduler': [dict(type='ConstantLR')]}, None),  # of both
    ({'optim_wrapper': dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1))}, 'one optimizer wrapper'),
    ({'optim_wrapper.constructor': None}, 'one optimizer wrapper for each network: set optim_wrapper.constructor='),
    ({'optim_wrapper.task.paramwise_cfg': dict(norm_decay=0.0)}, "'norm_decay' of optim_wrapper.task.paramwise_cfg"),
    ({'optim_wrapper.sr.paramwise_cfg': dict(bias_lr=2.0)}, "Nothing reads 'bias_lr' of optim_wrapper.sr.p"),
    ({'optim_wrapper.task.paramwise_cfg': dict(norm_decay_mult=0.0, custom_keys=dict(x=dict(lr_mult=1)))}, None),
    ({'model.data_preprocessor': dict(mean=[0])}, 'Nothing reads model.data_preprocessor, because the task'),
    ({'model.data_preprocessor': dict(mean=[0]), 'model.task': None, 'model.scheme': 'S'}, None),
])  # fmt: skip
def test_entries_of_the_networks(mixed, changes, message):
    cfg = Config(mixed)
    for key, value in changes.items():
        *path, last = key.split('.')
        node = cfg
        for part in path:
            node = node[part]
        node[last] = value
    if message is None:
        check_networks(cfg)
    else:
        with pytest.raises(SR4IRError, match=message):
            check_networks(cfg)


def both(rest: str) -> str:
    return f'Did you mean optim_wrapper.task.{rest} or optim_wrapper.sr.{rest}?'


@pytest.mark.parametrize('task, option, value, remedy', [
    (RETINANET, 'optim_wrapper.optimizer.lr', 0.1, both('optimizer.lr')),
    (RETINANET, 'optim_wrapper.accumulative_counts', 2, both('accumulative_counts')),
    (RETINANET, 'optim_wrapper.clip_grad.max_norm', 1, both('clip_grad.max_norm')),
    (RETINANET, 'optim_wrapper.type', 'AmpOptimWrapper', both('type')),
    (RETINANET, 'optim_wrapper.paramwise_cfg.norm_decay_mult', 0.0, both('paramwise_cfg.norm_decay_mult')),
    (RETINANET, 'param_scheduler.1.milestones', [1], 'Did you mean param_scheduler.task.1.milestones?'),
    (FCN, 'param_scheduler.0.power', 1.0, 'Did you mean param_scheduler.task.0.power'),
    (FCN, 'param_scheduler.type', 'PolyLR', 'Did you mean param_scheduler.task.0.type'),
    (RETINANET, 'model.test_cfg.nms_pre', 5, 'Did you mean model.task.test_cfg.nms_pre?'),
    (FCN, 'model.data_preprocessor.size', (64, 64), 'Set model.task.data_preprocessor.size.'),
    (FCN, 'data_preprocessor.size', (64, 64), 'Set model.task.data_preprocessor.size.'),
    (RESNET, 'model.data_preprocessor.to_rgb', False, 'Set data_preprocessor.to_rgb.'),
])  # fmt: skip
def test_an_option_of_the_zoos_config_is_refused_with_its_key_after_mixing(task, option, value, remedy):
    with pytest.raises(SR4IRError) as error:
        mix(task, **{option: value})
    assert option in str(error.value) and remedy in str(error.value)


def test_options_that_are_read():
    assert mix(RESNET, **{'data_preprocessor.to_rgb': False}).data_preprocessor.to_rgb is False
    cfg = mix(FCN, **{'model.task.data_preprocessor.size': (64, 64), 'optim_wrapper.task.optimizer.lr': 0.1})
    assert cfg.model.task.data_preprocessor['size'] == (64, 64) and cfg.optim_wrapper.task.optimizer.lr == 0.1
    assert load_config(FCN, {'model.data_preprocessor.size': (8, 8)}, zoo=True).model.data_preprocessor['size'] == (
        8,
        8,
    )


@pytest.mark.parametrize('name', ['model.task.data_preprocessor', 'model.data_preprocessor'])
@pytest.mark.parametrize('nested', [False, True])
@pytest.mark.parametrize('task', [FCN, RETINANET])
def test_the_data_preprocessor_of_the_scheme_s_by_either_name(task, name, nested):
    """Without a task network it is next to it; no message sends the user from one name to the other and back."""
    options = {f'{name}.mean': [1, 2, 3]}
    if nested:
        options = reduce(lambda value, part: {part: value}, name.split('.')[::-1], dict(mean=[1, 2, 3]))
    cfg = mix(task, scheme='s', **options)
    assert cfg.model.task is None and cfg.model.data_preprocessor.mean == [1, 2, 3]
    with pytest.raises(SR4IRError, match='men'):
        mix(task, scheme='s', **{f'{name}.men': 1})


def test_the_same_for_our_configs(tmp_path):
    path = tiny_config(tmp_path)
    for name in ('model.task.data_preprocessor', 'model.data_preprocessor'):
        cfg = load_run(path, 's', {f'{name}.mean': [1, 2, 3]})
        assert cfg.model.task is None and cfg.model.data_preprocessor.mean == [1, 2, 3]
    with pytest.raises(SR4IRError, match=r'Set model\.task\.data_preprocessor\.mean'):
        load_run(path, 's2t', {'model.data_preprocessor.mean': [1, 2, 3]})
