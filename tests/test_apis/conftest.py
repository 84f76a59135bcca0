"""A small work dir as a training leaves it, without the training."""

import shutil
from pathlib import Path

import pytest
import torch
from helpers.logs import train, val, write_scalars, write_test
from helpers.zoo import make_voc, tiny_config

from sr4ir_mm.config import build_model, load_config
from sr4ir_mm.inference.runs import dataset_meta

STAMP = '20260101_000000'


@pytest.fixture(scope='session')
def trained_dir(tmp_path_factory) -> Path:
    """Work dir of two epochs, the last of which is written, with random weights."""
    folder = tmp_path_factory.mktemp('tiny')
    make_voc(folder / 'voc')
    cfg = load_config(tiny_config(folder, data_root=str(folder / 'voc')))
    work_dir = folder / 'work_dirs/ships'
    cfg.work_dir, cfg.launcher, cfg.load_from = str(work_dir), 'none', 'start.pth'
    torch.manual_seed(0)
    model = build_model(cfg)
    classes = dataset_meta(cfg)['classes']
    meta = dict(cfg=cfg.pretty_text, experiment_name=f'ships_{STAMP}', epoch=2, iter=4)
    meta['dataset_meta'] = dict(classes=classes, palette=[[i, i, i] for i in range(len(classes))])
    write_scalars(work_dir, STAMP, [*train(1, 2, per_epoch=2), val(1, mIoU=40.0), *train(3, 4, per_epoch=2),
                                    val(2, mIoU=50.0, **{'sr/PSNR': 25.123456})], config=cfg.pretty_text)  # fmt: skip
    (work_dir / 'ships.py').write_text(cfg.pretty_text)
    torch.save(dict(state_dict=model.state_dict(), meta=meta, optimizer=dict(state={})), work_dir / 'epoch_2.pth')
    return work_dir


@pytest.fixture
def tested_dir(trained_dir, tmp_path) -> Path:
    """A copy of the work dir, with a test of its checkpoint."""
    folder = tmp_path / 'copy' / trained_dir.name
    shutil.copytree(trained_dir, folder)
    text = (folder / STAMP / 'vis_data/config.py').read_text()
    write_test(folder / 'test', '20260102_000000', STAMP, text, mIoU=61.5, **{'sr/PSNR': 26.0})
    return folder
