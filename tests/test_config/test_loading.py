import argparse
import os
from pathlib import Path

import pytest
from mmengine.config import Config

from sr4ir_mm import apis
from sr4ir_mm.config import config as config_module
from sr4ir_mm.errors import SR4IRError

CONFIGS = Path(__file__).parents[2] / 'configs'

CONFIG = """
data_root = 'data/a'
old = dict(type='Old', data_root=data_root, ann_file='train.json', pipeline=[dict(type='Load')])
train_dataloader = dict(dataset=dict(type='Repeat', times=2, dataset=dict(type='Concat', datasets=[
    old, dict(type='Other', data_root='data/b')])))
val_dataloader = [dict(dataset=old), dict(dataset=dict(type='NoRoot', data_root=''))]
test_dataloader = None
work_dir = None
model = dict(sr=dict(init_cfg=dict(type='Pretrained', checkpoint='sr.pth')), task=dict(backbone=dict(
    init_cfg=[dict(type='Kaiming'), dict(type='Pretrained', checkpoint='https://host/backbone.pth')])))
optim_wrapper = dict(constructor='c', sr=dict(optimizer=dict(type='SGD')),
                     task=dict(type='OptimWrapper', clip_grad=dict(max_norm=1)))
"""


@pytest.fixture
def path(tmp_path, monkeypatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'net_x4.py').write_text(CONFIG)
    return 'net_x4.py'


def roots(cfg: Config) -> list[str]:
    first, second = cfg.train_dataloader.dataset.dataset.datasets
    return [first.data_root, second.data_root, *(loader.dataset.data_root for loader in cfg.val_dataloader)]


@pytest.mark.parametrize(
    'options, expected',
    [
        (None, ['data/a', 'data/b', 'data/a', '']),
        ({'data_root': '/mnt'}, ['/mnt', 'data/b', '/mnt', '']),
        ({'data_root': '/mnt', 'val_dataloader.0.dataset.data_root': 'mine'}, ['/mnt', 'data/b', 'mine', '']),
        ({'val_dataloader.0.dataset.data_root': 'mine'}, ['data/a', 'data/b', 'mine', '']),
    ],
)
def test_a_new_data_root_reaches_every_data_set_that_used_it(path, options, expected):
    assert roots(apis.load_config(path, options)) == expected


@pytest.mark.parametrize('old', ["data_root = 'data/elsewhere'", ''])
def test_a_new_data_root_that_no_data_set_would_use(path, old):
    Path('other.py').write_text(CONFIG.replace("data_root = 'data/a'", old).replace('root=data_root', "root='data/a'"))
    assert roots(apis.load_config('other.py'))[0] == 'data/a'
    with pytest.raises(SR4IRError, match=r"No data set of 'other\.py' uses .*set train_dataloader\.dataset\.data_root"):
        apis.load_config('other.py', {'data_root': '/mnt'})


OURS = ['deeplabv3_edsr_x4_voc', 'deeplabv3plus-squeezenet_edsr-s_x4_voc-mini', 'faster-rcnn_edsr_x4_voc']


@pytest.mark.parametrize('name', OURS)
def test_data_root_of_our_configs(name):
    cfg = apis.load_config(str(CONFIGS / f'sr4ir/{name}.py'), {'data_root': '/mnt/voc'})
    loaders = [cfg[f'{split}_dataloader'] for split in ('train', 'val', 'test')]
    assert [loader.dataset.data_root for loader in loaders] == ['/mnt/voc'] * 3
    assert all('data/' not in str(evaluator) for evaluator in (cfg.val_evaluator, cfg.test_evaluator))
    with pytest.raises(SR4IRError, match=rf"no '/mnt/voc', which {cfg.dataset_type} needs.*data_root=PATH"):
        apis.check_data(cfg)


def test_other_options(path):
    cfg = apis.load_config(path, {'optim_wrapper.sr.optimizer.type': 'AdamW', 'new.key': 1})
    assert cfg.optim_wrapper.sr.optimizer.type == 'AdamW'
    assert cfg.new.key == 1


def test_an_option_that_does_not_fit():
    with pytest.raises(SR4IRError, match=r"h2t\.py' does not take the --cfg-options: .*sr"):
        apis.load_config(str(CONFIGS / 'baselines/resnet18_cars_h2t.py'), {'model.sr.init_cfg.checkpoint': 'a.pth'})


def test_missing_config(path):
    for missing in ('nope.py', '.'):
        with pytest.raises(SR4IRError, match=rf"There is no config file '{missing}'"):
            apis.load_config(missing)


@pytest.mark.parametrize('gpu', [True, False])
def test_mixed_precision_reaches_both_nets(path, monkeypatch, gpu):
    monkeypatch.setattr(config_module.torch.cuda, 'is_available', lambda: gpu)
    cfg = apis.load_config(path)
    for _ in range(2):  # again changes nothing
        apis.enable_amp(cfg)
    amp = dict(type='sr4ir_mm.AnyDeviceAmpOptimWrapper', **({} if gpu else dict(dtype='bfloat16')))
    assert cfg.optim_wrapper.to_dict() == dict(
        constructor='c', sr=dict(optimizer=dict(type='SGD'), **amp), task=dict(clip_grad=dict(max_norm=1), **amp)
    )


def test_mixed_precision_keeps_what_a_config_chose(path):
    cfg = apis.load_config(path, {'optim_wrapper.task.type': 'AmpOptimWrapper', 'optim_wrapper.task.dtype': 'float16'})
    del cfg.optim_wrapper['sr']  # a scheme that trains T alone
    apis.enable_amp(cfg)
    assert cfg.optim_wrapper.task.to_dict() == dict(type='AmpOptimWrapper', dtype='float16', clip_grad=dict(max_norm=1))
    cfg.optim_wrapper.task.type = 'ApexOptimWrapper'
    with pytest.raises(SR4IRError, match=r"needs optim_wrapper\.task\.type='OptimWrapper', not 'ApexOptimWrapper'"):
        apis.enable_amp(cfg)


def test_missing_data_are_named_with_the_way_out(path):
    cfg = apis.load_config(path)
    way_out = r'Prepare the data there, or point to another copy: --cfg-options data_root=PATH'
    with pytest.raises(SR4IRError, match=rf"There is no 'data/[ab]', which \w+ needs\. {way_out}"):
        apis.check_data(cfg)
    os.makedirs('data/a')
    with pytest.raises(SR4IRError, match=r"There is no 'data/a/train\.json', which Old needs"):
        apis.check_data(cfg, 'val_dataloader')
    Path('data/a/train.json').touch()
    apis.check_data(cfg, 'val_dataloader')
    apis.check_data(cfg, 'test_dataloader')
    with pytest.raises(SR4IRError, match="There is no 'data/b', which Other needs"):
        apis.check_data(cfg)
    cfg.train_dataloader.dataset.dataset.datasets[1].data_root = 's3://bucket/b'  # cannot be looked at
    apis.check_data(cfg)


@pytest.mark.parametrize('prefix', ['train', dict(img='train', seg=''), dict(img='train', seg=None)])
def test_missing_folder_of_images(path, prefix):
    cfg = apis.load_config(path, {'val_dataloader.0.dataset.data_prefix': prefix})
    os.makedirs('data/a')
    Path('data/a/train.json').touch()
    with pytest.raises(SR4IRError, match=r"There is no 'data/a/train', which Old needs"):
        apis.check_data(cfg, 'val_dataloader')
    os.makedirs('data/a/train')
    apis.check_data(cfg, 'val_dataloader')


@pytest.mark.parametrize(
    'type, step, culprit',
    [
        ('CustomDataset', 'PackInputs', "'CustomDataset' is no data set of mmseg, whose net T is"),
        ('BaseSegDataset', 'PackInputs', "'PackInputs' is no transform of mmseg"),
        ('mmpretrain.CustomDataset', 'PackInput', "'PackInput' is no transform of mmseg"),
        ('mmpretrain.CustomDataset', 'mmpretrain.PackInputs', None),  # seen by SRDataPreprocessor
        ('BaseSegDataset', 'sr4ir_mm.CheckedLoadImageFromFile', None),
    ],
)
def test_types_that_the_library_of_t_does_not_know(type, step, culprit):
    """The library is looked into, not the folder: that would be found missing first."""
    dataset = dict(type=type, data_root='nowhere', pipeline=[dict(type='RandomFlip'), dict(type=step)])
    wrapped = dict(type='RepeatDataset', times=2, dataset=dataset)
    cfg = Config(dict(default_scope='mmseg', train_dataloader=dict(dataset=wrapped)))
    with pytest.raises(SR4IRError, match=culprit or "There is no 'nowhere'"):
        apis.check_data(cfg)


def test_missing_weights_are_named_with_the_way_out(path):
    cfg = apis.load_config(path)
    with pytest.raises(SR4IRError, match=r"no 'sr\.pth' to start from\. .*model\.sr\.init_cfg\.checkpoint=FILE"):
        apis.check_weights(cfg)
    Path('sr.pth').touch()
    apis.check_weights(cfg)  # the URL is taken for granted


def test_checkpoint(path):
    Path('epoch_1.pth').touch()
    for good in ('epoch_1.pth', 'https://host/epoch_1.pth'):
        assert apis.find_checkpoint(good) == good
    for bad in ('epoch_2.pth', '.'):  # a folder is none
        with pytest.raises(SR4IRError, match=f"There is no checkpoint '{bad}'"):
            apis.find_checkpoint(bad)


@pytest.mark.parametrize(
    'arguments, work_dir',
    [([], 'work_dirs/net_x4'), (['--work-dir', 'out'], 'out'), (['--cfg-options', 'work_dir=x'], 'x')],
)
def test_command_line(path, monkeypatch, arguments, work_dir):
    monkeypatch.setattr('sys.argv', ['train.py', path, *arguments, '--launcher', 'slurm', '--local-rank', '3'])
    monkeypatch.setenv('LOCAL_RANK', '0')  # so that it is as before afterwards
    monkeypatch.delenv('LOCAL_RANK')
    parser = argparse.ArgumentParser()
    parser.add_argument('config')
    args, cfg = apis.parse_and_load(parser)
    assert (args.config, cfg.work_dir, cfg.launcher, os.environ['LOCAL_RANK']) == (path, work_dir, 'slurm', '3')
