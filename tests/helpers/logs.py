"""Work dirs as MMEngine leaves them."""

import json
from collections.abc import Sequence
from pathlib import Path

import torch


def write_scalars(
    work_dir: Path, stamp: str, lines: Sequence[dict], end: str = '\n', resume: str = '', config: str = ''
) -> Path:
    """One start of a training, which may ``resume`` from a checkpoint; ``end`` is what the last line ends with."""
    path = work_dir / stamp / 'vis_data/scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text('\n'.join(map(json.dumps, lines)) + end)
    start = dict(work_dir=str(work_dir), resume=bool(resume), load_from=(resume and str(work_dir / resume)) or None)
    (path.parent / 'config.py').write_text(config + ''.join(f'{key} = {value!r}\n' for key, value in start.items()))
    return path


def save(work_dir: Path, name: str, stamp: str = '', config: str | None = None, run: str = 'net') -> Path:
    """A checkpoint of the start of a training at the time ``stamp``."""
    meta = dict(experiment_name=f'{run}_{stamp}') if stamp else {}
    torch.save(dict(state_dict=dict(a=torch.ones(1)), meta=meta | ({'cfg': config} if config else {})), work_dir / name)
    return work_dir / name


def write_test(folder: Path, stamp: str, training: str | None, config: str = '', **metrics: float) -> Path:
    """A test of ``epoch_2.pth``, which the start of a training at the time ``training`` wrote."""
    tested = {'tested': dict(checkpoint='w/epoch_2.pth', training=training)} if training is not None else {}
    path = folder / stamp / f'{stamp}.json'
    (path.parent / 'vis_data').mkdir(parents=True)
    path.write_text(json.dumps({**metrics, **tested}) + '\n')
    (path.parent / 'vis_data/config.py').write_text(config)
    return path


def train(*iters: int, per_epoch: int = 10, **values: float) -> list[dict]:
    """Lines of a training by epochs."""
    return [
        {'sr.lr': 0.1, 'time': 0.2, 'loss': float(i), **values, 'epoch': (i - 1) // per_epoch + 1, 'iter': i, 'step': i}
        for i in iters
    ]


def val(epoch: int, **values: float) -> dict:
    """A line of a validation."""
    return {**values, 'data_time': 0.1, 'time': 0.3, 'step': epoch}


def write_run(work_dir: Path, config: str = '') -> Path:
    """A finished training of two epochs, with its config."""
    lines = [*train(5, 10), val(1, mIoU=40.0), *train(15, 20, **{'sr.loss_tdp': 0.5}), val(2, mIoU=50.0)]
    model = "model = dict(type='sr4ir_mm.SR4IR', scale=4, scheme='S+T', sr=dict(type='mmagic.EDSRNet'), "
    model += "task=dict(type='EncoderDecoder', backbone=dict(type='ResNet')))\n"
    write_scalars(work_dir, '20260101_000000', lines, config=model + config)
    (work_dir / 'net.py').write_text(model + config)
    return work_dir
