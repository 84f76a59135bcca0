"""Two processes (gloo, CPU) arrive at the weights of one process with twice the batch."""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import transformers
from helpers.toy import EDSR, ToyClassifier, ToyDataset, toy_batch
from helpers.zoo import batch_for, net_config, runner_for, state
from torch import nn

from sr4ir_mm.models import SCHEMES, SR4IR

pytestmark = pytest.mark.slow
#: task networks; with BatchNorm each process has its own statistics
ALONE = ('classifier', 'segmentor', 'detector')
if transformers.is_torch_available() and find_spec('spandrel'):
    ALONE += ('transformers',)  # with SPAN
CASES = [(scheme, 'classifier') for scheme in SCHEMES] + [('SR4IR', task) for task in ALONE[1:]]
CASES += [('SR4IR', 'normed'), ('S+T', 'normed')]
SPAN = dict(
    type='sr4ir_mm.SpandrelSR', architecture='SPAN', parameters=dict(num_in_ch=3, num_out_ch=3, feature_channels=8)
)
_VIT = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, image_size=64)
_GN = dict(type='GN', num_groups=8)
_HEAD = {'norm_cfg': _GN, 'dropout_ratio': 0.0, 'num_classes': 10}
_R18 = {'backbone.depth': 18, 'backbone.norm_cfg': _GN}
_NETS = dict(
    segmentor=_R18
    | {'decode_head.in_channels': 512, 'auxiliary_head.in_channels': 256}
    | {f'{head}.{key}': value for head in ('decode_head', 'auxiliary_head') for key, value in _HEAD.items()},
    detector=_R18 | {'neck.in_channels': [64, 128, 256, 512], 'bbox_head.num_classes': 10},
)
_CONFIGS = dict(
    segmentor='mmseg::fcn/fcn_r50-d8_4xb2-40k_cityscapes-512x1024.py',
    detector='mmdet::fcos/fcos_r50-caffe_fpn_gn-head_1x_coco.py',  # losses are means over the objects of all processes
)


def parts(task: str) -> tuple[nn.Module | dict, dict, dict]:
    """Return a task network, eight images to train on, and one to test on."""
    if task == 'transformers':
        net = dict(type='sr4ir_mm.HFClassifier', architecture='ViTForImageClassification', config=_VIT, num_classes=10)
        zoo = dict(_scope_='mmpretrain')
        return net, batch_for(zoo, *((64, 64),) * 8), batch_for(zoo, (64, 64), seed=1)
    if task not in _NETS:
        return ToyClassifier(norm=task == 'normed'), toy_batch(8), toy_batch(1, seed=1)
    cfg = net_config(_CONFIGS[task], **_NETS[task])
    return cfg, batch_for(cfg, *((64, 64),) * 8), batch_for(cfg, (64, 64), seed=1)


def train(scheme: str, task: str, work_dir: Path, **kwargs) -> dict:
    """Train for two iterations of four images; return the state before and after, and an image of the test."""
    torch.manual_seed(0)
    net, batch, test = parts(task)
    # masks differ between processes, so all cells of the mix are SR
    sr = SPAN if task == 'transformers' else EDSR
    model = SR4IR(dict(sr), net, scale=4, scheme=scheme, cqmix=dict(prob=1.0))
    before = state(model)
    runner = runner_for(model, ToyDataset(batch), work_dir, train_cfg=dict(by_epoch=True, max_epochs=1), **kwargs)
    runner.train()
    assert runner.iter == 2
    runner.model.eval()
    prediction = runner.model.test_step(test)[0]
    return dict(before=before, after=state(model), task_input=prediction.task_input)


def work(rank: int, folder: str) -> None:
    """Train every case in one of the processes."""
    os.environ['LOCAL_RANK'] = str(rank)
    # MMEngine's launcher and its default device_ids need a GPU
    dist.init_process_group('gloo', init_method=f'file://{folder}/store', rank=rank, world_size=2)
    results = {}
    for scheme, task in CASES:
        wrapper = dict(type='MMSeparateDistributedDataParallel', broadcast_buffers=False, device_ids=None)
        work_dir = Path(folder, f'{scheme}-{task}-{rank}')
        results[scheme, task] = train(scheme, task, work_dir, launcher='pytorch', cfg=dict(model_wrapper_cfg=wrapper))
    torch.save(results, f'{folder}/{rank}.pth')
    dist.destroy_process_group()


@pytest.fixture(scope='module')
def ranks(tmp_path_factory) -> list[dict]:
    folder = tmp_path_factory.mktemp('ranks')
    mp.spawn(work, (str(folder),), nprocs=2)
    return [torch.load(folder / f'{rank}.pth') for rank in range(2)]


@pytest.mark.parametrize(('scheme', 'task'), CASES)
def test_all_processes_have_the_same_nets(ranks, scheme, task):
    first, second = (rank[scheme, task] for rank in ranks)
    assert any(not torch.equal(first['after'][key], value) for key, value in first['before'].items())
    differing = {key for key, value in first['after'].items() if not torch.equal(second['after'][key], value)}
    assert all('running' in key for key in differing)
    assert task == 'normed' or torch.equal(first['task_input'], second['task_input'])


@pytest.mark.parametrize(('scheme', 'task'), [case for case in CASES if case[1] in ALONE])
def test_weights_are_those_of_one_process_with_twice_the_batch(ranks, scheme, task, tmp_path):
    alone = train(scheme, task, tmp_path / 'alone', batch_size=4)
    atol = 1e-5 if task == 'transformers' else 1e-6  # images of an untrained SPAN have values of 5
    torch.testing.assert_close(ranks[0][scheme, task], alone, rtol=1e-6, atol=atol)
