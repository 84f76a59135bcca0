"""SR4IR: what each scheme trains, what T receives, gradients and memory of phase 2, and zoo nets as T."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F
from helpers.toy import EDSR, ToyClassifier, ToyDataset, toy_batch
from helpers.zoo import Logs, batch_for, changed, net_config, runner_for, state, watch_grads, wrappers_for
from mmengine.config import Config, ConfigDict
from mmengine.runner import set_random_seed
from torch.nn.modules.batchnorm import _BatchNorm

from sr4ir_mm.apis import enable_amp
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR

#: the nets that a scheme trains, and the calls of S and T in one iteration: capitals for training mode
SCHEMES = {
    'S': (['sr'], 'S'),
    'H->T': (['task'], 'T'),
    'L->T': (['task'], 'T'),
    'S->T': (['task'], 'sT'),
    'T->S': (['sr'], 'ST'),  # a frozen T that gives losses: see test_frozen_losses.py
    'S+T': (['sr', 'task'], 'ST'),
    'SR4IR': (['sr', 'task'], 'SttSTTT'),
}
PHASE_2 = [dict(learn=['task'], task=dict(sr=0.34, hr=0.34, mix=0.34))]


def toy(scheme='SR4IR', norm: bool = True, **kwargs) -> SR4IR:
    torch.manual_seed(0)
    options = dict(sr=dict(EDSR), task=ToyClassifier(norm=norm), scale=4, scheme=scheme, cqmix=dict(grid=4))
    return SR4IR(**dict(options, **kwargs)).train()


# ---- schemes


@pytest.mark.parametrize('scheme', SCHEMES)
def test_a_scheme_trains_its_nets_and_no_other(scheme):
    model, (learns, calls) = toy(scheme), SCHEMES[scheme]
    seen = []
    for letters, net in (('sS', model.sr), ('tT', model.task.backbone)):
        net.register_forward_hook(lambda net, *_, letters=letters: seen.append(letters[net.training]))
    nets = dict(sr=model.sr, task=model.task)
    before = {name: state(net) for name, net in nets.items()}
    trainable = {name: {key for key, p in net.named_parameters() if p.requires_grad} for name, net in nets.items()}
    optim_wrapper = wrappers_for(model)
    assert list(optim_wrapper.keys()) == learns
    model.train_step(toy_batch(), optim_wrapper)
    assert ''.join(seen) == calls
    for name, net in nets.items():
        if name in learns:
            assert trainable[name] and trainable[name] <= changed(net, before[name])
            assert all(module.training for module in net.modules())
        else:
            assert not trainable[name] and not changed(net, before[name])  # not even statistics of BatchNorm
            assert not any(module.training for module in net.modules())


@pytest.mark.parametrize('size', [32, 33], ids=['even', 'odd'])
@pytest.mark.parametrize('scheme', SCHEMES)
def test_what_t_receives_at_test_time(scheme, size):
    model, batch = toy(scheme).eval(), toy_batch(size=size)
    received = []
    model.task.register_forward_pre_hook(lambda net, args: received.append(args[0]))
    samples = model.test_step(copy.deepcopy(batch))
    hr = torch.stack(batch['inputs']).flip(1) / 255
    lr = model.data_preprocessor.degradation(hr)
    assert lr.shape[-1] == math.ceil(size / 4)
    if scheme == 'H->T':
        image = hr
    elif scheme == 'L->T':
        image = F.interpolate(lr, size=4 * lr.shape[-1], mode='bilinear', align_corners=True)
    else:
        image = model.sr(lr)
    image = image[..., :size, :size].detach()
    for name, expected in dict(hr=hr, lr=lr, task_input=image).items():
        torch.testing.assert_close(torch.stack([sample.get(name) for sample in samples]), expected)
    mean, std = (torch.tensor(x)[:, None, None] for x in ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375]))
    if scheme == 'S':
        assert not received and 'pred' not in samples[0]  # T is not trained
    else:
        torch.testing.assert_close(received, [(image * 255 - mean) / std], rtol=0, atol=1e-4)
        assert 'pred' in samples[0]


def test_a_list_of_phases_is_a_scheme():
    """As it comes from a config or a JSON file: lists and ConfigDicts."""
    phases = [dict(learn=['sr'], pixel=1.0, tdp=1.0), *PHASE_2]
    models = [toy('SR4IR'), toy(ConfigDict(x=phases).x)]
    logs = []
    for model in models:
        set_random_seed(0)
        optim_wrapper = wrappers_for(model)
        logs.append([model.train_step(toy_batch(seed=i), optim_wrapper) for i in range(2)])
    assert logs[0] == logs[1]
    assert not changed(models[0], state(models[1]))


def test_phase_2_can_reuse_the_sr_images_of_phase_1():
    logs, calls = [], []
    for reuse_sr, lr in ((True, 0.01), (False, 0.0)):  # S that learns nothing makes the same images again
        model = toy(dict(phases='SR4IR', reuse_sr=reuse_sr))
        model.sr.register_forward_hook(lambda *_: calls.append(1))
        optim_wrapper = wrappers_for(model)
        optim_wrapper['sr'].optimizer.param_groups[0]['lr'] = lr
        torch.manual_seed(1)
        for wanted in (1, 2) if reuse_sr else (2,):
            logs.append(model.train_step(toy_batch(), optim_wrapper))
            assert len(calls) == wanted
            if reuse_sr and wanted == 1:
                assert model.sr.training
        calls.clear()
    assert logs[0] == logs[2] and logs[0] != logs[1]


def test_an_unknown_scheme_is_refused_with_those_there_are():
    with pytest.raises(SR4IRError) as error:
        toy('S4IR')
    assert "'S4IR'" in str(error.value) and all(scheme in str(error.value) for scheme in SCHEMES)


@pytest.mark.parametrize('scheme', SCHEMES)
def test_only_schemes_without_s_go_without_it(scheme):
    if scheme not in ('H->T', 'L->T'):
        with pytest.raises(SR4IRError, match='needs a super-resolution net'):
            toy(scheme, sr=None)
        return
    with_s, without = toy(scheme), toy(scheme, sr=None)
    without.task.load_state_dict(with_s.task.state_dict())
    for model in (with_s, without):
        model.train_step(toy_batch(), wrappers_for(model))
    assert not changed(without.task, state(with_s.task))
    predictions = [model.eval().test_step(toy_batch()) for model in (with_s, without)]
    assert [sample.pred for sample in predictions[0]] == [sample.pred for sample in predictions[1]]


# ---- phase 2


def sum_of_branches(model: SR4IR, task: torch.nn.Module, batch: dict) -> torch.Tensor:
    """Phase 2 as one sum, as written in the paper."""
    data = model.data_preprocessor(copy.deepcopy(batch), True)
    images = data['inputs']
    with torch.no_grad():
        sr = model.sr(images['lr'])
    normalize = model.data_preprocessor.normalize
    loss = task(normalize(sr), data['data_samples'], mode='loss')['loss']
    loss = loss + task(images['hr_inputs'], data['data_samples'], mode='loss')['loss']
    mix = model.cqmix(sr, images['hr'])
    return 0.34 * (loss + task(normalize(mix), data['data_samples'], mode='loss')['loss'])


def test_gradients_of_phase_2_are_those_of_the_sum():
    model, batch = toy(PHASE_2), toy_batch(4)
    task = copy.deepcopy(model.task)
    torch.manual_seed(1)
    sum_of_branches(model, task, batch).backward()
    expected = {name: p.grad for name, p in task.named_parameters()}
    optim_wrapper = wrappers_for(model)
    grads = watch_grads(optim_wrapper['task'].optimizer, model.task)
    torch.manual_seed(1)
    model.train_step(batch, optim_wrapper)
    assert all(g.abs().sum() > 0 for g in grads.values())
    torch.testing.assert_close(grads, expected, rtol=1e-4, atol=1e-7)
    for name, value in task.named_buffers():  # BatchNorm saw SR, HR and the mix in this order
        assert torch.equal(model.task.get_buffer(name), value), name


class Meter:
    """Bytes that autograd holds for the backward pass."""

    def __init__(self) -> None:
        self.live = self.peak = 0

    def __enter__(self) -> 'Meter':
        self.hooks = torch.autograd.graph.saved_tensors_hooks(lambda t: Saved(self, t), lambda saved: saved.tensor)
        self.hooks.__enter__()
        return self

    def __exit__(self, *args) -> None:
        self.hooks.__exit__(*args)

    def restart(self) -> int:
        """Forget the peak; returns what is held now."""
        self.peak = self.live
        return self.live


class Saved:
    def __init__(self, meter: Meter, tensor: torch.Tensor) -> None:
        self.meter, self.tensor = meter, tensor.detach()
        meter.live += tensor.nbytes
        meter.peak = max(meter.peak, meter.live)

    def __del__(self) -> None:
        self.meter.live -= self.tensor.nbytes


def test_phase_2_holds_one_branch_at_a_time():
    batch = toy_batch(4, size=64)
    phase_1, peaks = dict(learn=['sr'], pixel=1.0, tdp=1.0), {}
    for name, phase_2 in dict(one=dict(learn=['task'], task=dict(sr=1.0)), three=PHASE_2[0]).items():
        model, starts = toy([phase_1, phase_2]), []
        with Meter() as meter:
            model.sr.register_forward_pre_hook(lambda *_, starts=starts, meter=meter: starts.append(meter.restart()))
            model.train_step(copy.deepcopy(batch), wrappers_for(model))
        assert starts == [0, 0] and meter.live == 0  # phase 2 begins where S runs again
        peaks[name] = meter.peak
    with Meter() as meter:  # what a sum holds
        loss = sum_of_branches(model, model.task, batch)
    assert loss.requires_grad
    assert peaks['three'] < 1.1 * peaks['one']
    assert 2.5 * peaks['one'] < meter.peak < 3.5 * peaks['one']  # nor does a branch hold a graph of S


# ---- freezing, accumulation, mixed precision

RESNET_FCN = dict(
    type='EncoderDecoder', _scope_='mmseg',
    data_preprocessor=dict(type='SegDataPreProcessor', size=(64, 64)),
    backbone=dict(type='ResNet', depth=18, frozen_stages=1, norm_eval=True),
    decode_head=dict(type='FCNHead', in_channels=512, in_index=3, channels=16, num_convs=1, num_classes=10,
                     norm_cfg=dict(type='BN'), loss_decode=dict(type='CrossEntropyLoss')),
    train_cfg={}, test_cfg=dict(mode='whole'))  # fmt: skip


@pytest.mark.parametrize('net', ['mmseg', 'mmdet'])
def test_frozen_stages_stay_frozen(net):
    cfg = ConfigDict(RESNET_FCN) if net == 'mmseg' else net_config('retinanet')
    model = toy(task=copy.deepcopy(cfg))
    frozen = {name for name, p in model.task.named_parameters() if not p.requires_grad}
    modes = {name: module.training for name, module in model.named_modules()}
    norms = {name: module for name, module in model.task.backbone.named_modules() if isinstance(module, _BatchNorm)}
    assert {'backbone.conv1.weight', 'backbone.bn1.weight', 'backbone.layer1.0.conv1.weight'} <= frozen
    assert norms and not any(norm.training for norm in norms.values()) and modes['task.backbone.layer2.0.conv1']
    before = state(model.task)
    optim_wrapper = wrappers_for(model)
    for i in range(2):
        model.train_step(batch_for(cfg, seed=i), optim_wrapper)
    moved = changed(model.task, before)
    assert 'backbone.layer2.0.conv1.weight' in moved and not frozen & moved
    assert not any(name.startswith('backbone') and 'running' in name for name in moved)
    assert frozen == {name for name, p in model.task.named_parameters() if not p.requires_grad}
    assert modes == {name: module.training for name, module in model.named_modules()}


def accumulating(counts: int, **lr: float) -> dict:
    parts = {name: dict(optimizer=dict(type='SGD', lr=lr.get(name, 0.1), momentum=0.9), accumulative_counts=counts)
             for name in ('sr', 'task')}  # fmt: skip
    return dict(constructor='sr4ir_mm.SR4IROptimWrapperConstructor', **parts)


@pytest.mark.parametrize('images', [4, 6])  # with 6 the last step takes what there is
@pytest.mark.parametrize('scheme', SCHEMES)
def test_accumulation_is_a_larger_batch(scheme, images, tmp_path):
    # In SR4IR, T receives the image of S after S's update, so T's gradients are equal only if S does not change.
    lr = dict(sr=0.0) if scheme == 'SR4IR' else {}
    models = []
    for size, counts in ((4, 1), (2, 2)):
        model = toy(scheme, norm=False, cqmix=dict(prob=1.0))
        before = state(model)
        dataset = ToyDataset(toy_batch(images, num_classes=10))
        runner_for(model, dataset, tmp_path / str(size), batch_size=size, optim_wrapper=accumulating(counts, **lr),
                   train_cfg=dict(by_epoch=True, max_epochs=1)).train()  # fmt: skip
        assert changed(model, before)
        models.append(model)
    torch.testing.assert_close(state(models[1]), state(models[0]), rtol=1e-4, atol=1e-6)


def test_accumulation_of_s_while_t_learns_too(tmp_path):
    models = []
    for size, counts in ((4, 1), (2, 2)):
        model = toy('SR4IR', norm=False)
        before = state(model)
        runner_for(model, ToyDataset(toy_batch(4)), tmp_path / str(size), batch_size=size,
                   optim_wrapper=accumulating(counts), train_cfg=dict(by_epoch=True, max_epochs=1)).train()  # fmt: skip
        moved = changed(model, before)
        assert 'sr.conv_first.weight' in moved and 'task.fc.weight' in moved
        models.append(model)
    torch.testing.assert_close(state(models[1].sr), state(models[0].sr), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('scheme', ['SR4IR', 'S+T'])
def test_mixed_precision(scheme, tmp_path):
    logs, dtypes = dict(full=Logs(), mixed=Logs()), set()
    for name in ('full', 'mixed'):
        cfg = Config(dict(optim_wrapper=accumulating(1)))
        if name == 'mixed':
            enable_amp(cfg)
        model = toy(scheme)
        before = state(model)
        for net in (model.sr.conv_first, model.task.backbone[0]):
            net.register_forward_hook(lambda net, args, output, name=name: dtypes.add((name, output.dtype)))
        runner = runner_for(model, ToyDataset(toy_batch(4)), tmp_path / name, optim_wrapper=cfg.optim_wrapper,
                            train_cfg=dict(by_epoch=True, max_epochs=2))  # fmt: skip
        runner.register_hook(logs[name])
        runner.train()
        moved = changed(model, before)
        assert 'sr.conv_first.weight' in moved and 'task.fc.weight' in moved
        assert all(value.dtype == torch.float32 for value in model.parameters())
    assert dtypes == {('full', torch.float32), ('mixed', torch.bfloat16)}
    assert len(logs['mixed'].items) == 4
    for mixed, full in zip(logs['mixed'].items, logs['full'].items):
        assert mixed == pytest.approx(full, rel=0.05) and mixed != full


# ---- weights of an earlier run


def test_nets_of_an_earlier_run(tmp_path):
    cfg = ConfigDict(RESNET_FCN)
    earlier = toy('S+T', task=copy.deepcopy(cfg))
    checkpoint = str(tmp_path / 'epoch_1.pth')
    torch.save(dict(state_dict=earlier.state_dict()), checkpoint)
    cfg.backbone.init_cfg = dict(type='Constant', layer='Conv2d', val=0)  # gives way
    init_cfg = {name: dict(type='Pretrained', checkpoint=checkpoint, prefix=f'{name}.') for name in ('sr', 'task')}
    cfg.init_cfg = init_cfg['task']
    model = SR4IR(dict(EDSR, init_cfg=init_cfg['sr']), cfg, scale=4, scheme='S->T')
    assert changed(model.sr, state(earlier.sr)) and changed(model.task, state(earlier.task))
    model.init_weights()
    assert not changed(model.sr, state(earlier.sr)) and not changed(model.task, state(earlier.task))


# ---- nets of the zoos

LAYERS = dict(backbone=1.0)
FPN = {'neck[0]': 0.5, 'neck[1]': 0.5}
NETS = dict(segformer=LAYERS, faster_rcnn=FPN, retinanet=FPN, yolox=FPN, resnet18=LAYERS, mobilenetv3=LAYERS)


@pytest.mark.parametrize('name', NETS)
def test_both_nets_learn_with_a_zoo_net(name):
    options = {'data_preprocessor.batch_augments': None} if name == 'yolox' else {}
    cfg, layers = net_config(name, **options), NETS[name]
    model = toy(task=copy.deepcopy(cfg), tdp=dict(layers=layers))
    before, sizes = state(model), () if 'mmdet' not in cfg['_scope_'] else ((64, 48), (53, 61))
    logs = model.train_step(batch_for(cfg, *sizes), wrappers_for(model, lr=1e-3))
    assert {'sr.loss_pix', 'sr.loss_tdp', 'task.sr.loss', 'task.hr.loss', 'task.mix.loss'} <= set(logs)
    assert all(value.isfinite().all() for value in logs.values())
    moved = changed(model, before)
    assert {'sr.conv_first.weight', 'sr.conv_last.weight'} <= moved
    assert any(key.startswith('task.backbone') and key.endswith('weight') for key in moved)
    assert any(key.startswith('task') and 'head' in key for key in moved)


@pytest.mark.parametrize('name', NETS)
def test_the_tdp_loss_runs_no_head(name):
    options = {'data_preprocessor.batch_augments': None} if name == 'yolox' else {}
    cfg, layers = net_config(name, **options), NETS[name]
    model = toy([dict(learn=['sr'], pixel=1.0, tdp=1.0)], task=copy.deepcopy(cfg), tdp=dict(layers=layers))
    called = set()
    for part, module in model.task.named_children():
        for leaf in module.modules():
            if part != 'data_preprocessor' and not list(leaf.children()):
                leaf.register_forward_hook(lambda *_, part=part: called.add(part))
    logs = model.train_step(batch_for(cfg), wrappers_for(model))
    assert logs['sr.loss_tdp'] > 0
    assert called == {'backbone', *(layer.split('[')[0] for layer in layers)}


@pytest.mark.parametrize('side', [16, 96])
def test_an_sr_network_that_does_not_enlarge_by_the_scale_at_every_size(side):
    """The crop to the size of HR would cut out a corner."""

    class Fixed(torch.nn.Module):
        """Enlarges images of odd sides only, as the check of the build has them."""

        def forward(self, x):
            return F.interpolate(x, scale_factor=4) if x.shape[-1] % 2 else x.new_zeros(1, 3, side, side)

    model = SR4IR(Fixed(), ToyClassifier(), scale=4)
    images = dict(lr=torch.rand(1, 3, 14, 14), hr=torch.rand(1, 3, 56, 56))
    with pytest.raises(SR4IRError, match=rf'Fixed made SR of {side} x {side} px for HR of 56 x 56 px'):
        model._super_resolve(images)
    assert model._super_resolve(dict(lr=torch.rand(1, 3, 15, 15), hr=torch.rand(1, 3, 57, 60))).shape[-2:] == (57, 60)


@pytest.mark.parametrize('other', [1, 2, 8])
@pytest.mark.parametrize('scheme', ['SR4IR', 'L->T'])
def test_a_degradation_of_another_scale(other, scheme):
    """S would learn on images of another size, of which the crop shows a corner."""
    degradation = dict(type='sr4ir_mm.BicubicDegradation', scale=other)
    with pytest.raises(SR4IRError, match=f'degradation has scale={other}, but the model has scale=4: set the same one'):
        SR4IR(EDSR, ToyClassifier(), scale=4, scheme=scheme, degradation=degradation)


def test_channels_last_changes_the_layout_and_no_result():
    """The layout is that of the weights before DistributedDataParallel and the optimizers take it for their states."""
    torch.manual_seed(0)
    plain = SR4IR(EDSR, ToyClassifier(), scale=4, tdp=dict(layers=dict(backbone=1.0)))
    model = SR4IR(EDSR, ToyClassifier(), scale=4, tdp=dict(layers=dict(backbone=1.0)), channels_last=True)
    model.load_state_dict(plain.state_dict())
    weights = [p for p in model.parameters() if p.dim() == 4 and min(p.shape[1:]) > 1]
    assert weights and all(p.is_contiguous(memory_format=torch.channels_last) for p in weights)
    losses = []
    for net in (plain, model):
        torch.manual_seed(1)
        losses.append(net.train_step(toy_batch(), wrappers_for(net)))
    torch.testing.assert_close(*losses)


class Distilled(ToyClassifier):
    """A network with a teacher that is no submodule, as mmdet's distillation detectors have one."""

    def to(self, device=None):
        object.__setattr__(self, 'teacher', device)
        return super().to(device=device)


def test_a_network_whose_own_move_takes_a_device_only():
    model = SR4IR(EDSR, Distilled(), scale=4, channels_last=True)
    assert model.task.backbone[3].weight.is_contiguous(memory_format=torch.channels_last)
    assert model.to('meta').task.teacher == torch.device('meta')
    assert next(model.parameters()).is_meta
