"""A small config file with every entry that the checks and options look at."""

from pathlib import Path

import pytest

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
    Path('net_x4.py').write_text(CONFIG)
    return 'net_x4.py'
