"""Work dirs as MMEngine leaves them."""

import json
from collections.abc import Sequence
from pathlib import Path


def write_scalars(work_dir: Path, stamp: str, lines: Sequence[dict], end: str = '\n') -> Path:
    """One start of a training; ``end`` is what the last line ends with."""
    path = work_dir / stamp / 'vis_data/scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text('\n'.join(map(json.dumps, lines)) + end)
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
    write_scalars(work_dir, '20260101_000000', lines)
    model = "model = dict(type='sr4ir_mm.SR4IR', scale=4, scheme='S+T', sr=dict(type='mmagic.EDSRNet'), "
    model += "task=dict(type='EncoderDecoder', backbone=dict(type='ResNet')))\n"
    (work_dir / 'net.py').write_text(model + config)
    return work_dir
