"""Config files of any style become plain entries; a file that fails is one message."""

from pathlib import Path

import pytest
from helpers.zoo import make_voc, run_tool
from mmengine.config import Config, ConfigDict

from sr4ir_mm.config import build_task, load_config, mix
from sr4ir_mm.config.reading import read_config
from sr4ir_mm.errors import SR4IRError

BASE = """
from mmengine.hooks import CheckpointHook
from mmengine.model import PretrainedInit
from mmengine.optim import OptimWrapper
from mmengine.runner import EpochBasedTrainLoop, TestLoop, ValLoop
import torch
import torch.optim as optim
from mmseg.visualization import SegLocalVisualizer
default_scope = None
visualizer = dict(type=SegLocalVisualizer, name='visualizer', vis_backends=[])
optim_wrapper = dict(type=OptimWrapper, optimizer=dict(type=optim.SGD, lr=0.01))
train_cfg = dict(type=EpochBasedTrainLoop, max_epochs=1, val_interval=1)
val_cfg = dict(type=ValLoop)
test_cfg = dict(type=TestLoop)
default_hooks = dict(checkpoint=dict(type=CheckpointHook))
half = dict(dtype=torch.float16, start=dict(type=PretrainedInit, checkpoint='a.pth'))
"""
NEW_STYLE = """
from mmengine.config import read_base
with read_base():
    from .base import *
from mmcv.transforms import LoadImageFromFile
from mmengine.dataset import DefaultSampler
from mmseg.datasets import LoadAnnotations, PackSegInputs, PascalVOCDataset
from mmseg.evaluation import IoUMetric
from mmseg.models import EncoderDecoder, FCNHead, ResNetV1c, SegDataPreProcessor
from mmseg.models.losses import CrossEntropyLoss
from torch.nn import BatchNorm2d
norm = dict(type=BatchNorm2d, requires_grad=True)
model = dict(
    type=EncoderDecoder,
    data_preprocessor=dict(type=SegDataPreProcessor, mean=[120.] * 3, std=[60.] * 3, bgr_to_rgb=True, size=(64, 64)),
    backbone=dict(type=ResNetV1c, depth=18, norm_cfg=norm),
    decode_head=dict(type=FCNHead, in_channels=512, in_index=3, channels=8, num_convs=1, concat_input=False,
                     num_classes=21, norm_cfg=norm, loss_decode=dict(type=CrossEntropyLoss)),
    test_cfg=dict(mode='whole'))
pipeline = [dict(type=LoadImageFromFile), dict(type=LoadAnnotations), dict(type=PackSegInputs)]
def loader(split):
    folders = dict(img_path='JPEGImages', seg_map_path='SegmentationClass')
    data = dict(type=PascalVOCDataset, data_root='voc', data_prefix=folders, pipeline=pipeline,
                ann_file=f'ImageSets/Segmentation/{split}.txt')
    return dict(batch_size=2, num_workers=0, sampler=dict(type=DefaultSampler, shuffle=False), dataset=data)
train_dataloader = loader('train')
val_dataloader = loader('val')
test_dataloader = val_dataloader
val_evaluator = dict(type=IoUMetric, iou_metrics=['mIoU'])
test_evaluator = val_evaluator
"""


@pytest.fixture
def new_style(tmp_path, monkeypatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path('base.py').write_text(BASE)
    Path('new.py').write_text(NEW_STYLE)
    return 'new.py'


def test_the_classes_of_the_new_style_are_names(new_style):
    cfg = read_config(new_style)
    assert cfg.model.type == 'mmseg.models.EncoderDecoder' and cfg.default_scope == 'mmseg'
    assert cfg.optim_wrapper.optimizer.type == 'torch.optim.SGD'
    assert cfg.half.dtype == 'float16' and cfg.half.start.type == 'Pretrained'  # what MMEngine compares with
    assert 'loader' not in cfg and 'EncoderDecoder' not in cfg
    cfg.dump('written.py')
    assert read_config('written.py').to_dict() == cfg.to_dict()
    assert type(build_task(cfg)).__name__ == 'EncoderDecoder'


def test_a_value_that_the_new_style_imports_stays_a_value(tmp_path, monkeypatch):
    """And not the name of a value, which MMEngine would write into the work dir."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / 'my_classes.py').write_text("NAMES = ('car', 'ship')\n")
    (tmp_path / 'a.py').write_text('from my_classes import NAMES\nmetainfo = dict(classes=NAMES)\n')
    assert read_config(tmp_path / 'a.py').metainfo == dict(classes=('car', 'ship'))


def test_classes_in_the_usual_style(tmp_path):
    (tmp_path / 'b.py').write_text('a = 1')
    (tmp_path / 'a.py').write_text("_base_ = 'b.py'\nfrom torch.optim import SGD\noptimizer = dict(type=SGD)\n")
    assert read_config(tmp_path / 'a.py').optimizer.type.endswith('.SGD')


def test_a_mix_with_a_config_in_the_new_style(new_style):
    """It trains, and what it writes is read again."""
    make_voc(Path('voc'))
    options = dict(model=dict(sr=dict(init_cfg=None, mid_channels=8, num_blocks=1)))
    cfg = mix(new_style, **options)
    assert cfg.model.task.type == 'mmseg.models.EncoderDecoder' and cfg.optim_wrapper.sr.type == 'OptimWrapper'
    assert isinstance(cfg.model, ConfigDict)
    small = ('model.sr.init_cfg=None', 'model.sr.mid_channels=8', 'model.sr.num_blocks=1')
    train = ('train', new_style, '--sr', 'edsr')
    assert run_tool(*train, '--write-config', 'mixed.py', cwd=Path()) == 0
    assert Config.fromfile('mixed.py').model.task.to_dict() == cfg.model.task.to_dict()
    assert run_tool('train', 'mixed.py', '--amp', '--cfg-options', *small, cwd=Path()) == 0
    for run in ('work_dirs/mixed', 'work_dirs/mixed/epoch_1.pth'):
        assert run_tool('test', run, '--cfg-options', 'log_level=ERROR', cwd=Path()) == 0


def test_a_delete_without_anything_to_delete(tmp_path):
    """MMEngine leaves it there, and the class would receive it."""
    (tmp_path / 'base.py').write_text("other = dict(a=dict(type='A', x=1))")
    (tmp_path / 'a.py').write_text(
        "_base_ = 'base.py'\nmodel = dict(_delete_=True, net=[dict(_delete_=True, type='B')])\n"
        "other = dict(a=dict(_delete_=True, type='C'))"
    )
    cfg = read_config(tmp_path / 'a.py')
    assert cfg._cfg_dict.to_dict() == dict(model=dict(net=[dict(type='B')]), other=dict(a=dict(type='C')))


@pytest.mark.parametrize(
    ('name', 'text', 'words'),
    [
        (
            'a.py',
            'model = dict(\nx = 1\n',
            r"'a\.py' cannot be read as a config \(line 1\): SyntaxError: '\(' was never",
        ),
        ('a.py', 'a = 1\nb = c\n', r"cannot be read as a config \(a\.py, line 2\): NameError: name 'c' is not defined"),
        ('a.py', "_base_ = 'mmrotate::x/a.py'", 'the configs of mmrotate are not there, .* pip install --no-deps -e '),
        ('a.py', "_base_ = 'no.py'", r'cannot be read as a config: FileNotFoundError: .*no\.py'),
        ('a.py', "_base_ = 'b.py'\nmodel = dict(a=dict(b=1))\n", r'TypeError: a=\{.*_delete_=True'),
        ('a.py', "_base_ = 'c.py'", r'\(c\.py, line 1\): ZeroDivisionError'),
        ('a.py', 'from no_module import X\nmodel = dict(n=X)\n', r'ModuleNotFoundError: .*no_module'),
        ('a.py', "custom_imports = dict(imports=['no_module'])", r'ImportError: Failed to import custom modules'),
        ('a.py', "a = '{{$NO_VARIABLE:}}'", r'KeyError: .*NO_VARIABLE'),
        ('a.py', 'a = "\0"', 'cannot be read as a config'),
        ('a.yaml', 'a: 1', r"'a\.yaml' is not a config in Python: give a \.py file"),
        ('a.json', '{}', r"'a\.json' is not a config in Python"),
        ('a.txt', '', r"'a\.txt' is not a config in Python"),
    ],
)
def test_a_file_that_cannot_be_read(name, text, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path('b.py').write_text('model = dict(a=1)')
    Path('c.py').write_text('a = 1 / 0')
    Path('mmrotate').mkdir()
    Path('mmrotate/__init__.py').touch()  # a clone on PYTHONPATH
    monkeypatch.syspath_prepend(tmp_path)
    Path(name).write_text(text)
    with pytest.raises(SR4IRError, match=words):
        load_config(name)


def test_a_config_may_inherit_from_yaml(tmp_path):
    (tmp_path / 'a.yaml').write_text('a: 1')
    (tmp_path / 'b.py').write_text("_base_ = 'a.yaml'")
    assert load_config(tmp_path / 'b.py').a == 1
