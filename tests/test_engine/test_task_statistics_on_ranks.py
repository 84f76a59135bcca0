"""Two processes (gloo, CPU) take the statistics of the images of both."""

import os
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from helpers.toy import EDSR, ToyClassifier, ToyDataset, toy_batch
from helpers.zoo import runner_for

from sr4ir_mm.engine import tested_images
from sr4ir_mm.engine.task_statistics import measure_statistics
from sr4ir_mm.models import SR4IR

pytestmark = pytest.mark.slow
DATA = toy_batch(10)


def model_for() -> SR4IR:
    torch.manual_seed(0)
    return SR4IR(dict(EDSR), ToyClassifier(), scale=4)


def work(rank: int, folder: str) -> None:
    """Train for an epoch in one of the processes."""
    os.environ['LOCAL_RANK'] = str(rank)
    dist.init_process_group('gloo', init_method=f'file://{folder}/store', rank=rank, world_size=2)
    model = model_for()
    wrapper = dict(type='MMSeparateDistributedDataParallel', broadcast_buffers=True, device_ids=None)
    hooks = [dict(type='sr4ir_mm.AlternatingUpdateHook'), dict(type='sr4ir_mm.TaskStatisticsHook', images=9)]
    runner = runner_for(
        model, ToyDataset(DATA), Path(folder, 'run'), train_cfg=dict(by_epoch=True, max_epochs=1), launcher='pytorch',
        cfg=dict(model_wrapper_cfg=wrapper), custom_hooks=hooks,
        default_hooks=dict(runtime_info=dict(type='sr4ir_mm.DeferredRuntimeInfoHook'),
                           checkpoint=dict(type='CheckpointHook', interval=1)))  # fmt: skip
    runner.train()
    torch.save(model.state_dict(), f'{folder}/{rank}.pth')
    dist.destroy_process_group()


def test_statistics_of_all_processes(tmp_path, monkeypatch):
    mp.spawn(work, (str(tmp_path),), nprocs=2)
    saved = torch.load(tmp_path / 'run/epoch_1.pth', weights_only=False)['state_dict']
    for rank in range(2):
        state = torch.load(tmp_path / f'{rank}.pth')
        assert state.keys() == saved.keys() and all(torch.equal(state[key], saved[key]) for key in saved)
    model, items = model_for(), ToyDataset(DATA).items
    model.load_state_dict(saved)
    batches = []
    for rank in range(2):
        monkeypatch.setattr(tested_images, 'get_dist_info', lambda rank=rank: (rank, 2))
        chosen = tested_images._choose(len(items), images=9, batch_size=2, seed=0)
        assert len(chosen) == 4
        batches += [
            dict(inputs=[items[i]['inputs'] for i in pair], data_samples=[items[i]['data_samples'] for i in pair])
            for pair in (chosen[:2], chosen[2:])
        ]
    expected = measure_statistics(model.train(), batches)
    torch.testing.assert_close({key: saved[f'task.{key}'] for key in expected}, expected)
