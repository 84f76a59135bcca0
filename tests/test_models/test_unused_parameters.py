"""Networks some parameters of which get no gradient, in two processes (gloo, CPU)."""

import os
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from helpers.toy import EDSR, ToyClassifier, ToyDataset, toy_batch
from helpers.zoo import runner_for, state
from torch import nn

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR
from sr4ir_mm.models.unused import explain_unused


def test_other_errors_stay():
    with pytest.raises(RuntimeError, match='other'), explain_unused():
        raise RuntimeError('other')


def train(rank: int, folder: str, find_unused: bool) -> None:
    """Train a network like FDAT or SwiftSRGAN, with weights that nothing reads, for two iterations."""
    torch.manual_seed(0)
    model = SR4IR(dict(EDSR), ToyClassifier(), scale=4)
    model.sr.idle = nn.Conv2d(3, 3, 1)
    wrapper = dict(type='MMSeparateDistributedDataParallel', broadcast_buffers=False, device_ids=None)
    wrapper['find_unused_parameters'] = find_unused
    schedule = dict(train_cfg=dict(by_epoch=True, max_epochs=1), cfg=dict(model_wrapper_cfg=wrapper))
    runner = runner_for(
        model, ToyDataset(toy_batch(8)), Path(folder, f'{find_unused}-{rank}'), launcher='pytorch', **schedule
    )
    before = state(model)
    runner.train()
    torch.save(dict(before=before, after=state(model)), f'{folder}/{rank}.pth')


def work(rank: int, folder: str) -> None:
    os.environ['LOCAL_RANK'] = str(rank)
    dist.init_process_group('gloo', init_method=f'file://{folder}/store', rank=rank, world_size=2)
    train(rank, folder, find_unused=True)
    with pytest.raises(SR4IRError, match=r'get no gradient.*find_unused_parameters=True'):
        train(rank, folder, find_unused=False)
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_processes(tmp_path):
    mp.spawn(work, (str(tmp_path),), nprocs=2)
    first, second = (torch.load(tmp_path / f'{rank}.pth') for rank in range(2))
    differing = {key for key, value in first['after'].items() if not torch.equal(value, second['after'][key])}
    assert all('running' in key for key in differing)  # each process has its own statistics
    moved = {key for key, value in first['after'].items() if not torch.equal(value, first['before'][key])}
    assert any(key.startswith('sr.') for key in moved) and any(key.startswith('task.') for key in moved)
    assert not any('idle' in key for key in moved)
