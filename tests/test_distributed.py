"""Two processes (gloo, CPU) arrive at the weights of one process with twice the batch."""

import os
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from helpers.toy import EDSR, ToyClassifier, ToyDataset, toy_batch
from helpers.zoo import runner_for, state

from sr4ir_mm.models import SCHEMES, SR4IR

pytestmark = pytest.mark.slow
#: with BatchNorm each process has its own statistics
CASES = [(scheme, False) for scheme in SCHEMES] + [('SR4IR', True), ('S+T', True)]


def train(scheme: str, norm: bool, work_dir: Path, **kwargs) -> dict:
    """Train for two iterations of four images; return the state before and after, and an image of the test."""
    torch.manual_seed(0)
    # masks differ between processes, so all cells of the mix are SR
    model = SR4IR(dict(EDSR), ToyClassifier(norm=norm), scale=4, scheme=scheme, cqmix=dict(prob=1.0))
    before = state(model)
    runner = runner_for(
        model, ToyDataset(toy_batch(8)), work_dir, train_cfg=dict(by_epoch=True, max_epochs=1), **kwargs
    )
    runner.train()
    assert runner.iter == 2
    runner.model.eval()
    prediction = runner.model.test_step(toy_batch(1, seed=1))[0]
    return dict(before=before, after=state(model), task_input=prediction.task_input)


def work(rank: int, folder: str) -> None:
    """Train every case in one of the processes."""
    os.environ['LOCAL_RANK'] = str(rank)
    # MMEngine's launcher and its default device_ids need a GPU
    dist.init_process_group('gloo', init_method=f'file://{folder}/store', rank=rank, world_size=2)
    results = {}
    for scheme, norm in CASES:
        wrapper = dict(type='MMSeparateDistributedDataParallel', broadcast_buffers=False, device_ids=None)
        work_dir = Path(folder, f'{scheme}-{norm}-{rank}')
        results[scheme, norm] = train(scheme, norm, work_dir, launcher='pytorch', cfg=dict(model_wrapper_cfg=wrapper))
    torch.save(results, f'{folder}/{rank}.pth')
    dist.destroy_process_group()


@pytest.fixture(scope='module')
def ranks(tmp_path_factory) -> list[dict]:
    folder = tmp_path_factory.mktemp('ranks')
    mp.spawn(work, (str(folder),), nprocs=2)
    return [torch.load(folder / f'{rank}.pth') for rank in range(2)]


@pytest.mark.parametrize(('scheme', 'norm'), CASES)
def test_all_processes_have_the_same_nets(ranks, scheme, norm):
    first, second = (rank[scheme, norm] for rank in ranks)
    assert any(not torch.equal(first['after'][key], value) for key, value in first['before'].items())
    differing = {key for key, value in first['after'].items() if not torch.equal(second['after'][key], value)}
    assert all('running' in key for key in differing)
    assert norm or torch.equal(first['task_input'], second['task_input'])


@pytest.mark.parametrize('scheme', SCHEMES)
def test_weights_are_those_of_one_process_with_twice_the_batch(ranks, scheme, tmp_path):
    alone = train(scheme, False, tmp_path / 'alone', batch_size=4)
    torch.testing.assert_close(ranks[0][scheme, False], alone, rtol=1e-4, atol=1e-6)
