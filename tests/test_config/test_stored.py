"""The config in a checkpoint is read as data."""

import math
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from sr4ir_mm.compat.stored_configs import parse_config
from sr4ir_mm.config import load_config
from sr4ir_mm.config.stored import is_checkpoint, read_meta, stored_config
from sr4ir_mm.errors import SR4IRError

ENTRIES = dict(
    work_dir='/somewhere/run', launcher='pytorch', resume=True, load_from='epoch_1.pth', empty={}, none=None,
    model=dict(type='mmseg.EncoderDecoder', sizes=[(1, 2), (3,), [], ()], text='it\'s "x"\n', keys={'a.b': 1, 2: 'c'},
               deep=[dict(a=[dict(b={'c d': -1.5e-8})])]),
    limits=dict(high=math.inf, low=-math.inf, pair=[math.inf, 1]), kinds=[True, False, None, {1, 2}, b'x'],
)  # fmt: skip


def save(path: Path, **meta) -> Path:
    torch.save(dict(meta=meta, state_dict=dict(weight=torch.ones(2))), path)
    return path


@pytest.mark.parametrize('formatted', [False, True])
def test_every_value_that_mmengine_writes(formatted, tmp_path, monkeypatch):
    if formatted:
        from mmengine.config import config
        from yapf.yapflib.yapf_api import FormatCode

        monkeypatch.setattr(config, 'FormatCode', FormatCode)
    path = save(tmp_path / 'a.pth', cfg=Config(ENTRIES).pretty_text, experiment_name='my_run_20260101_000000')
    cfg = stored_config(path)
    left_out = ('work_dir', 'launcher', 'resume', 'load_from')  # they belong to one start of the training
    assert cfg.to_dict() == {key: value for key, value in ENTRIES.items() if key not in left_out}
    assert Path(cfg.filename) == tmp_path / 'my_run.py'


def test_the_configs_of_the_package(tmp_path):
    for name in ('fcn-tiny_edsr-tiny_x4_demo', 'faster-rcnn_swinir_x8_voc', 'panoptic-fpn_edsr_x4_coco'):
        cfg = load_config(name)
        path = str(save(tmp_path / 'a.pth', cfg=cfg.pretty_text))
        assert load_config(path).to_dict() == cfg.to_dict()
        options = {'model.scale': 2}
        assert load_config(path, options).model.scale == 2


def test_the_start_of_a_training_that_was_not_resumed(tmp_path):
    path = save(tmp_path / 'a.pth', cfg=Config(dict(load_from='start.pth', resume=False)).pretty_text)
    assert stored_config(path).load_from == 'start.pth'


@pytest.mark.parametrize(
    'text',
    [
        'import os\nos.remove("{victim}")',
        'a = __import__("os").remove("{victim}")',
        'a = dict(b=open("{victim}", "w"))',
        'a = [x for x in open("{victim}", "w")]',
        'a = dict(__import__("os").remove("{victim}"))',
        'a = {{"b": (lambda: 1)()}}',
        'a = f"{{1}}"',
        'a = dict(**dict(b=1))',
        'a = undefined',
        'a.b = 1',
        'a = <class "b">',
        'a = ' + '(' * 300 + ')' * 300,
        'filename = "b"',
    ],
)
def test_a_config_that_is_no_data(text, tmp_path):
    victim = tmp_path / 'victim'
    victim.write_text('unchanged')
    with pytest.raises(SR4IRError, match=r"The config in '.*a\.pth' cannot be read as data"):
        stored_config(save(tmp_path / 'a.pth', cfg=text.format(victim=victim)))
    assert victim.read_text() == 'unchanged'


@pytest.mark.parametrize('meta', [{}, dict(cfg=None), dict(cfg=dict(a=1))])
def test_no_config(meta, tmp_path):
    with pytest.raises(SR4IRError, match=r"a\.pth' holds no config.* name the config of its training"):
        load_config(save(tmp_path / 'a.pth', **meta))


def test_no_checkpoint(tmp_path):
    with pytest.raises(SR4IRError, match=r"Checkpoint '.*no\.pth' not found"):
        load_config(tmp_path / 'no.pth')
    (tmp_path / 'a.pth').write_text('model = 1')
    with pytest.raises(SR4IRError, match=r"a\.pth' is not a file of weights"):
        load_config(tmp_path / 'a.pth')
    torch.save(dict(weight=torch.ones(1)), tmp_path / 'a.pth')
    assert read_meta(tmp_path / 'a.pth')['entries'] == ['weight']


def test_names_of_checkpoints(tmp_path):
    assert is_checkpoint(save(tmp_path / 'a.pth').rename(tmp_path / 'no_suffix'))
    assert all(map(is_checkpoint, ['a.pth', Path('b/a.pt'), 'https://host/a.pth?download=1']))
    assert not any(map(is_checkpoint, ['a.py', 'a', 'folder.pth/a.py', 'sr4ir_mm::sr4ir/a.py']))


def test_text_without_entries():
    assert parse_config('') == {}
