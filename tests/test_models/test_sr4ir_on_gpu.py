"""SR4IR on a GPU: real tensors where there is one, and fake tensors, which have shapes and devices, but no numbers.

What needs no GPU runs on the CPU too. ``make test-gpu`` runs this file.
"""

import cv2
import pytest
import torch
from helpers.torch_version import needs_export, needs_fake_gpu
from helpers.toy import EDSR, ToyDataset
from helpers.zoo import batch_for, changed, net_config, runner_for, state, wrappers_for
from mmengine.device import get_device
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmengine.runner import save_checkpoint
from test_sr4ir import SCHEMES
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from sr4ir_mm.analysis.benchmark.inference import write_images
from sr4ir_mm.analysis.benchmark.jobs import Job
from sr4ir_mm.analysis.benchmark.training import training
from sr4ir_mm.analysis.benchmark.variants import TRAINING
from sr4ir_mm.config import build_model, enable_amp
from sr4ir_mm.export.exporter import export
from sr4ir_mm.inference import SR4IRInferencer
from sr4ir_mm.models import SR4IR

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU')
on_each_device = pytest.mark.parametrize('device', ['cpu', pytest.param('cuda', marks=needs_gpu)])
DEMO = Job('fcn-tiny_edsr-tiny_x4_demo', size=(64, 64))
OTHERS = [
    Job('efficientnet-lite0_edsr-s_x4_cars-mini', size=(64, 64)),
    Job('atss-efficientnet-lite0_edsr-s_x4_voc-mini', size=(64, 96)),
]
#: on a CPU other tests train these tasks too
JOBS = [DEMO, *(pytest.param(job, marks=pytest.mark.slow) for job in OTHERS)]
by_job = pytest.mark.parametrize('job', JOBS, ids=lambda job: job.name)
#: where kernels of a GPU may sum in any order
CLOSE = 1e-3 if torch.cuda.is_available() else 1e-4


@pytest.fixture(autouse=True)
def _float32(monkeypatch):
    """Convolutions of float32 in full precision: by default a GPU rounds their factors to 10 bits."""
    monkeypatch.setattr(torch.backends.cudnn, 'allow_tf32', False)


def parts(job: Job, device: str, amp: bool = False, **options) -> tuple[SR4IR, dict, dict]:
    """Model, optimizer wrappers and batch of a job, the same for every device."""
    cfg = job.load()
    cfg.merge_from_dict(options)
    if amp:
        enable_amp(cfg)
    torch.manual_seed(0)
    model = build_model(cfg).to(device).train()
    return model, build_optim_wrapper(model, cfg.optim_wrapper), job.make_batch(cfg)


def move(model: SR4IR, gpu: FakeTensorMode) -> None:
    """Replace what is in a model; ``Module.to`` cannot, as the tensors are of another kind."""
    for module in model.modules():
        for name, param in module._parameters.items():
            if param is not None:
                fake = gpu.from_tensor(param.detach()).cuda()
                module._parameters[name] = nn.Parameter(fake, requires_grad=param.requires_grad)
        for name, buffer in module._buffers.items():
            module._buffers[name] = None if buffer is None else gpu.from_tensor(buffer).cuda()


@needs_fake_gpu
@pytest.mark.parametrize('scheme', SCHEMES)
def test_a_step_mixes_no_devices_and_waits_for_no_number(scheme, monkeypatch):
    sr = None if scheme in ('H->T', 'L->T') else EDSR
    cfg = net_config('resnet18')
    model = SR4IR(sr, cfg, scale=4, scheme=scheme).train()
    model.data_preprocessor.checked_stages.add(True)  # the first batch waits for the range of its numbers,
    if model.recorder:
        model.recorder._is_first = False  # and for what the log says of its features
    wrappers = wrappers_for(model)
    batch = model.task.data_preprocessor(batch_for(cfg, (62, 64), (64, 61)), True)  # pads by numbers, on the CPU
    seen = []
    monkeypatch.setattr(OptimWrapper, 'backward', lambda self, loss: seen.append(loss.device.type))
    monkeypatch.setattr(OptimWrapper, 'step', lambda self: None)
    with FakeTensorMode(allow_non_fake_inputs=True) as gpu:
        move(model, gpu)
        fakes = dict(
            inputs=gpu.from_tensor(batch['inputs']).cuda(),
            data_samples=[sample.to('cuda') for sample in batch['data_samples']],
        )
        monkeypatch.setattr(model.data_preprocessor.task_preprocessor, 'forward', lambda data, training: fakes)
        log = model.train_step(dict(inputs=list(batch['inputs'])), wrappers)
    assert set(seen) == {'cuda'} == {value.device.type for value in log.values()}


# ---- real tensors


@by_job
@on_each_device
def test_an_iteration_trains_both_networks(job, device):
    model, wrappers, batch = parts(job, device)
    before = {name: state(getattr(model, name)) for name in ('sr', 'task')}
    for _ in range(2):
        log = model.train_step(batch, wrappers)
    assert {value.device.type for value in log.values()} == {device}
    assert all(torch.isfinite(value) for value in log.values()) and {'sr.loss_pix', 'sr.loss_tdp'} <= log.keys()
    for name, weights in before.items():
        net = getattr(model, name)
        trained = {key for key, param in net.named_parameters() if param.requires_grad}
        assert trained <= changed(net, weights) and {param.device.type for param in net.parameters()} == {device}


@by_job
@on_each_device
def test_losses_are_those_of_a_cpu(job, device):
    """On the CPU, another memory format is compared. Without a random mix, nothing is drawn."""
    logs = []
    for where, channels_last in ((device, True), ('cpu', False)):
        # AdamW's first step is the sign of the gradient, also where that is the rounding of zero
        still = {'optim_wrapper.sr.optimizer.lr': 0.0}
        options = {'model.channels_last': channels_last, 'model.cqmix.prob': 0.0, **still}
        model, wrappers, batch = parts(job, where, **options)
        for module in model.modules():
            if isinstance(module, nn.modules.dropout._DropoutNd):
                module.p = 0.0
        logs.append({key: float(value) for key, value in model.train_step(batch, wrappers).items()})
    assert logs[0] == pytest.approx(logs[1], rel=CLOSE, abs=CLOSE)


@pytest.mark.parametrize('ours', ['float32', 'amp'])
@on_each_device
def test_iterations_in_plain_pytorch_have_the_same_losses(ours, device):
    """The floor of the benchmark, with its own scaling of losses in float16."""
    losses = []
    for name in (TRAINING[ours].floor, ours):
        step = training(DEMO, TRAINING[name], device)
        losses.append([float(step()) for _ in range(3)])
    assert losses[0] == pytest.approx(losses[1], rel=CLOSE if ours == 'float32' else 1e-2)


# ---- mixed precision: float16 with a scaled loss on a GPU, bfloat16 on a CPU


@by_job
def test_mixed_precision_with_two_optimizers(job):
    model, wrappers, batch = parts(job, get_device(), amp=True)
    before = {name: state(getattr(model, name)) for name in ('sr', 'task')}
    logs = [model.train_step(batch, wrappers) for _ in range(3)]
    assert all(torch.isfinite(value) for log in logs for value in log.values())
    for name, weights in before.items():
        assert changed(getattr(model, name), weights)
        assert {param.dtype for param in getattr(model, name).parameters()} == {torch.float32}
        assert wrappers[name].loss_scaler.is_enabled() == torch.cuda.is_available()


@needs_gpu
@pytest.mark.parametrize('broken', ['sr', 'task'])
def test_an_overflow_of_one_network_does_not_stop_the_other(broken):
    """Each has a loss scale of its own: only that of the network with the overflow is halved."""
    model, wrappers, batch = parts(DEMO, 'cuda', amp=True)
    model.train_step(batch, wrappers)
    scales = {name: wrappers[name].loss_scaler.get_scale() for name in ('sr', 'task')}
    before = {name: {key: p.clone() for key, p in getattr(model, name).named_parameters()} for name in scales}
    next(getattr(model, broken).parameters()).register_hook(lambda grad: grad * float('inf'))
    model.train_step(batch, wrappers)
    for name, weights in before.items():
        same = all(torch.equal(param, weights[key]) for key, param in getattr(model, name).named_parameters())
        assert same == (name == broken)
        assert wrappers[name].loss_scaler.get_scale() == scales[name] / (2 if name == broken else 1)


@needs_gpu
def test_networks_that_share_a_loss_share_its_scale():
    model, wrappers, batch = parts(DEMO, 'cuda', amp=True, **{'model.scheme': 'S+T'})
    model.train_step(batch, wrappers)
    scale = wrappers['sr'].loss_scaler.get_scale()
    next(model.task.parameters()).register_hook(lambda grad: grad * float('inf'))
    model.train_step(batch, wrappers)
    assert wrappers['sr'].loss_scaler is wrappers['task'].loss_scaler
    assert wrappers['sr'].loss_scaler.get_scale() == scale / 2  # once, not for each network


# ---- a run: resume, inference, export


@pytest.mark.parametrize('amp', [False, True])
def test_a_resumed_run_ends_as_a_straight_one(amp, tmp_path):
    """On the device that MMEngine's Runner takes; the mix is random, and the scale of losses is part of the state."""

    def run(name: str, epochs: int, **kwargs):
        cfg = DEMO.load()
        if amp:
            enable_amp(cfg)
        torch.manual_seed(0)
        dataset = ToyDataset(*(DEMO.make_batch(cfg, seed) for seed in range(2)))
        dataset.metainfo = dict(classes=cfg.metainfo.classes)
        runner = runner_for(
            build_model(cfg), dataset, tmp_path / name,
            train_cfg=dict(by_epoch=True, max_epochs=epochs), optim_wrapper=cfg.optim_wrapper,
            default_hooks=dict(runtime_info=dict(type='sr4ir_mm.DeferredRuntimeInfoHook'),
                               checkpoint=dict(type='CheckpointHook', interval=1)), **kwargs)  # fmt: skip
        runner.train()
        return runner

    straight = run('straight', 2)
    resumed = run('resumed', 2, resume=True, load_from=str(tmp_path / 'straight/epoch_1.pth'))
    assert resumed.iter == straight.iter == 4
    weights, expected = state(resumed.model), state(straight.model)
    for name, value in weights.items():
        torch.testing.assert_close(value, expected[name], rtol=CLOSE, atol=CLOSE)
    for name in ('sr', 'task'):
        optimizers = [runner.optim_wrapper[name].state_dict() for runner in (resumed, straight)]
        assert optimizers[0].get('loss_scaler') == optimizers[1].get('loss_scaler')


@by_job
@on_each_device
def test_predictions_in_batches_are_those_of_a_cpu_one_by_one(job, device, tmp_path):
    paths = write_images(tmp_path, 3, job)
    results = []
    for where, batch_size in ((device, 2), ('cpu', 1)):
        torch.manual_seed(0)
        inferencer = SR4IRInferencer(job.load(), 'random', where, show_progress=False)
        results.append(inferencer(paths, batch_size=batch_size, out_dir=str(tmp_path / where)))
    for found, expected in zip(*(result['task_inputs'] for result in results)):
        assert found.shape == expected.shape and abs(found.astype(int) - expected).max() <= 1
    for sample in results[0]['predictions']:
        tensors = [value for value in sample.values() if isinstance(value, torch.Tensor)]
        assert tensors and {value.device.type for value in tensors} == {'cpu'}
    for folder in ('sr', 'vis', 'preds'):
        names = sorted(path.name for path in (tmp_path / device / folder).iterdir())
        assert {name[0] for name in names} == {'0', '1', '2'}
    assert cv2.imread(str(tmp_path / device / 'sr/0.png')).shape[:2] == job.size


@needs_export
@on_each_device
def test_weights_that_were_trained_on_the_device_are_exported(device, tmp_path):
    """The export compares the file with predictions in PyTorch."""
    model, wrappers, batch = parts(DEMO, device)
    model.train_step(batch, wrappers)
    save_checkpoint(dict(state_dict=model.state_dict()), str(tmp_path / 'x.pth'))
    loaded = build_model(DEMO.load(), str(tmp_path / 'x.pth'))
    assert {param.device.type for param in loaded.parameters()} == {'cpu'}
    assert not changed(loaded, {name: value.cpu() for name, value in model.state_dict().items()})
    ((path, rows),) = export(loaded, tmp_path / 'x.pt2').items()
    assert path.exists() and rows
