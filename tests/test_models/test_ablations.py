"""The paper's ablations, each a value of the config: what changes in an iteration, and what is refused."""

import copy

import pytest
import torch
from helpers.toy import EDSR, ToyClassifier, ToyDataset, imagenet_preprocessor, toy_batch
from helpers.zoo import changed, runner_for, state, watch_grads, wrappers_for
from mmengine.registry import MODELS

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SCHEMES, SR4IR, Phase, Scheme
from sr4ir_mm.models.scheme import build_scheme


def toy(scheme='SR4IR', norm: bool = True, **options) -> SR4IR:
    torch.manual_seed(0)
    options = dict(tdp=dict(layers=dict(backbone=1.0), relative=True), cqmix=dict(grid=4)) | options
    return SR4IR(dict(EDSR), ToyClassifier(norm=norm), 4, scheme, **options).train()


def step(model: SR4IR, seed: int = 0) -> dict[str, float]:
    torch.manual_seed(1)
    return {key: float(value) for key, value in model.train_step(toy_batch(4, seed=seed), wrappers_for(model)).items()}


# ---- shares, CQMix


def test_shares_take_the_place_of_the_weights_of_phase_2():
    scheme = Scheme('SR4IR', shares=dict(sr=0.5, hr=0.5))  # no CQMix
    assert scheme.phases == (Phase(('sr',), pixel=1.0, tdp=1.0), Phase(('task',), task=dict(sr=0.5, hr=0.5)))
    assert scheme == build_scheme(dict(phases='SR4IR', shares=dict(sr=0.5, hr=0.5))) != SCHEMES['SR4IR']
    assert scheme.test_input == 'sr'
    log = step(toy(scheme))
    assert {key for key in log if key.startswith('task.')} == {'task.sr.loss', 'task.hr.loss'}
    same = Scheme('SR4IR', shares=dict(sr=0.34, hr=0.34, mix=0.34))
    assert same == SCHEMES['SR4IR']


@pytest.mark.parametrize(
    'scheme, shares, words',
    [
        ('S', dict(sr=1.0), 'shares of the scheme have no effect'),
        ('S+T', dict(sr=0.5, hr=0.5), 'shares of the scheme have no effect'),
        ('SR4IR', dict(sr=0.5, mixed=0.5), "unknown image 'mixed'"),
        ('SR4IR', dict(sr=0.5, mix=0), 'that of an image is zero'),
        ('SR4IR', dict(), 'the task network has no loss'),
        ('SR4IR', dict(sr=0.5, bilinear=0.5), 'set test_input'),
    ],
)
def test_shares_that_are_refused(scheme, shares, words):
    with pytest.raises(SR4IRError, match=words):
        Scheme(scheme, shares=shares)


# ---- no TDP loss


def test_a_tdp_loss_of_weight_0_is_the_scheme_without_it():
    runs = []
    without = [dict(learn=('sr',), pixel=1.0), dict(learn=('task',), task=dict(sr=0.34, hr=0.34, mix=0.34))]
    for scheme, weight in (('SR4IR', 0.0), (without, 1.0)):
        model = toy(scheme, tdp=dict(layers=dict(backbone=1.0), loss_weight=weight))
        calls = []
        model.task.backbone.register_forward_hook(lambda *_, calls=calls: calls.append(1))
        runs.append((step(model), len(calls), state(model)))
    assert runs[0][0] == runs[1][0] and 'sr.loss_tdp' not in runs[0][0]
    assert runs[0][1] == 3  # no run of T is for nothing
    assert all(torch.equal(value, runs[1][2][key]) for key, value in runs[0][2].items())


# ---- joint updates


def gradients(scheme: dict | str) -> tuple[SR4IR, dict, dict]:
    """The gradients of both networks in one iteration, of networks without BatchNorm."""
    model = toy(scheme, norm=False)
    wrappers = wrappers_for(model, lr=0.5)
    grads = {name: watch_grads(wrappers[name].optimizer, getattr(model, name)) for name in ('sr', 'task')}
    before = state(model)
    torch.manual_seed(1)
    model.train_step(toy_batch(4), wrappers)
    return model, before, grads


def test_joint_updates_take_all_gradients_at_the_start_of_the_iteration():
    model, before, grads = gradients(dict(phases='SR4IR', joint=True))
    assert {'sr.conv_first.weight', 'task.fc.weight'} <= changed(model, before)
    _, _, alternating = gradients('SR4IR')
    torch.testing.assert_close(grads['sr'], alternating['sr'], rtol=0, atol=0)  # phase 1 comes first in both
    with pytest.raises(AssertionError):
        torch.testing.assert_close(grads['task'], alternating['task'])
    still = toy('SR4IR', norm=False)  # the same with an S that the first update does not move
    wrappers = wrappers_for(still, lr=0.5)
    wrappers['sr'].optimizer.param_groups[0]['lr'] = 0.0
    expected = watch_grads(wrappers['task'].optimizer, still.task)
    torch.manual_seed(1)
    still.train_step(toy_batch(4), wrappers)
    torch.testing.assert_close(grads['task'], expected, rtol=0, atol=0)


def test_joint_updates_with_accumulation_and_the_sr_images_of_phase_1(tmp_path):
    models = []
    for size, counts in ((4, 1), (2, 2)):
        model = toy(dict(phases='SR4IR', joint=True, reuse_sr=True), norm=False, cqmix=dict(prob=1.0),
                    tdp=dict(layers=dict(backbone=1.0)))  # fmt: skip
        part = dict(optimizer=dict(type='SGD', lr=0.1), accumulative_counts=counts)
        before = state(model)
        runner_for(model, ToyDataset(toy_batch(4)), tmp_path / str(size), batch_size=size,
                   optim_wrapper=dict(constructor='sr4ir_mm.SR4IROptimWrapperConstructor', sr=part, task=part),
                   train_cfg=dict(by_epoch=True, max_epochs=1)).train()  # fmt: skip
        assert {'sr.conv_first.weight', 'task.fc.weight'} <= changed(model, before)
        models.append(model)
    torch.testing.assert_close(state(models[1]), state(models[0]), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('phases', ['S', 'S+T', 'H->T', [dict(learn=('task',), task=dict(hr=1.0))] * 2])
def test_joint_updates_of_one_phase_or_one_network_are_refused(phases):
    with pytest.raises(SR4IRError, match='joint of the scheme takes two phases, one for each network'):
        Scheme(phases, joint=True)


# ---- the TDP loss of another network


@MODELS.register_module(force=True)
class Brightness(ToyClassifier):
    """A network of another library, with another normalization and channel order."""

    def __init__(self, data_preprocessor: dict | None = None, init_cfg: dict | None = None) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        self.init_cfg = init_cfg


def other_net(tmp_path, **options) -> tuple[dict, ToyClassifier]:
    torch.manual_seed(5)
    net = ToyClassifier()
    torch.save(dict(state_dict=net.state_dict()), tmp_path / 'net.pth')
    preprocessor = dict(type='mmengine.ImgDataPreprocessor', mean=[100.0] * 3, std=[50.0] * 3)  # BGR
    init_cfg = dict(type='Pretrained', checkpoint=str(tmp_path / 'net.pth'))
    cfg = dict(type='mmengine.Brightness', data_preprocessor=preprocessor, init_cfg=init_cfg)
    return cfg | options, net.eval()


def test_another_network_is_compared_by_its_own_weights_and_normalization(tmp_path):
    cfg, net = other_net(tmp_path)
    model = toy(tdp_net=cfg, tdp=dict(layers=dict(backbone=1.0)))
    model.init_weights()
    model.train()
    assert not changed(model.tdp_net.net, state(net)) and not model.tdp_net.training
    before, images = state(model), model.data_preprocessor(toy_batch(4), True)['inputs']
    sr = model.sr(images['lr']).detach()
    with torch.no_grad():
        features = [net.backbone((image.flip(1) * 255 - 100) / 50) for image in (sr, images['hr'])]
    calls = []
    model.task.backbone.register_forward_hook(lambda *_: calls.append(1))
    log = step(model)
    assert log['sr.loss_tdp'] == pytest.approx(float((features[0] - features[1]).abs().mean()), rel=1e-4)
    moved = changed(model, before)
    assert not any(name.startswith('tdp_net') for name in moved) and len(calls) == 3
    assert {'sr.conv_first.weight', 'task.fc.weight'} <= moved
    assert all(p.grad is None and not p.requires_grad for p in model.tdp_net.parameters())


def test_the_layers_are_those_of_the_other_network(tmp_path):
    cfg, _ = other_net(tmp_path)
    assert toy(tdp_net=cfg, tdp=dict()).tdp.layers == {'backbone[map]': 1.0}
    with pytest.raises(SR4IRError, match="has no TDP layer 'neck'"):
        toy(tdp_net=cfg, tdp=dict(layers=dict(neck=1.0)))


def test_a_checkpoint_holds_the_other_network(tmp_path):
    cfg, net = other_net(tmp_path)
    first = toy(tdp_net=cfg)
    first.init_weights()
    step(first)
    second = toy(tdp_net=cfg)
    second.load_state_dict(first.state_dict())
    assert not changed(second, state(first))
    plain = toy()  # a start from a training without it
    second.load_state_dict(plain.state_dict(), strict=False)
    assert not changed(second.tdp_net.net, state(net))


@pytest.mark.parametrize(
    'tdp_net, words',
    [
        (dict(type='mmengine.Brightness', data_preprocessor=imagenet_preprocessor()), 'would keep random weights'),
        (dict(type='mmengine.Brightness', init_cfg=dict(type='Pretrained', checkpoint='x')), 'no data_preprocessor'),
        ('end', "must be 'start'"),
        (dict(momentun=0.1), "must be 'start'"),
        (dict(momentum=2), 'momentum=2'),
    ],
)
def test_networks_that_are_refused(tdp_net, words):
    with pytest.raises(SR4IRError, match=words):
        toy(tdp_net=tdp_net)


def test_a_resumed_run_needs_none_of_the_files(tmp_path):
    """And what initialization sets besides weights is set: no network of the TDP loss gets gradients."""
    cfg, _ = other_net(tmp_path)
    model = toy(tdp_net=cfg, tdp=dict(layers=dict(backbone=1.0)))
    model.sr.init_cfg = [dict(type='Kaiming', layer='Conv2d'), dict(cfg['init_cfg'])]
    (tmp_path / 'net.pth').unlink()
    model.forget_files()
    model.init_weights()
    assert model.sr.init_cfg == [dict(type='Kaiming', layer='Conv2d')]
    assert not any(p.requires_grad for p in model.tdp_net.parameters())


def test_schemes_without_the_tdp_loss_build_no_other_network():
    assert toy('L->T', tdp_net='start').tdp_net is None


# ---- the TDP loss of T at the start, or of its average


def values(net: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {key: value for key, value in state(net).items() if value.is_floating_point()}


@pytest.mark.parametrize('momentum', [0.0, 0.25])
def test_the_start_of_t_and_its_average(momentum):
    model = toy(tdp_net=dict(momentum=momentum) if momentum else 'start')
    with torch.no_grad():
        for parameter in model.task.parameters():  # as if weights were loaded after the model was built
            parameter.add_(0.1)
    wrappers, expected = wrappers_for(model, lr=0.1), None
    for seed in range(3):
        now = values(model.task)
        expected = now if expected is None else {k: v.lerp(now[k], momentum) for k, v in expected.items()}
        model.train_step(toy_batch(4, seed=seed), wrappers)
        torch.testing.assert_close(values(model.tdp_net.net), expected)
    assert values(model.task)['fc.weight'].ne(expected['fc.weight']).any()
    assert not any(module.training for module in model.tdp_net.modules())


def test_a_resumed_run_goes_on_with_the_average(tmp_path):
    def run(name: str, epochs: int, resume: bool = False, seed: int = 0) -> SR4IR:
        torch.manual_seed(seed)
        model = toy(tdp_net=dict(momentum=0.25))
        checkpoint = dict(type='CheckpointHook', interval=1)
        hooks = dict(runtime_info=dict(type='sr4ir_mm.DeferredRuntimeInfoHook'), checkpoint=checkpoint)
        runner_for(model, ToyDataset(toy_batch(4)), tmp_path / name, resume=resume, default_hooks=hooks,
                   train_cfg=dict(by_epoch=True, max_epochs=epochs)).train()  # fmt: skip
        return model

    straight = run('straight', 3)
    run('resumed', 1)
    resumed = run('resumed', 3, resume=True, seed=7)
    assert not changed(resumed, state(straight)) and resumed.tdp_net.has_started
    assert changed(resumed.tdp_net.net, copy.deepcopy(state(resumed.task)))
