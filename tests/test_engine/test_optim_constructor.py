import pytest
import torch
from helpers.toy import EDSR, ToyClassifier, toy_batch
from mmengine.logging import MessageHub
from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper, build_optim_wrapper
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS
from torch import nn

from sr4ir_mm.engine import SR4IROptimWrapperConstructor
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR


def model(scheme: str = 'SR4IR') -> SR4IR:
    return SR4IR(dict(EDSR), ToyClassifier(), scale=4, scheme=scheme)


def config(task: dict | None = None, **sr) -> dict:
    return dict(
        type='OptimWrapper',
        constructor='sr4ir_mm.SR4IROptimWrapperConstructor',
        sr=dict(optimizer=dict(type='AdamW', lr=1e-4), **sr),
        task=dict(dict(optimizer=dict(type='SGD', lr=0.02, momentum=0.9)), **(task or {})),
    )


def groups(wrapper: OptimWrapper) -> dict[int, dict]:
    return {id(p): group for group in wrapper.optimizer.param_groups for p in group['params']}


def test_each_part_is_what_its_config_says():
    net = model()
    cfg = config(
        dict(
            optimizer=dict(type='SGD', lr=0.02, weight_decay=0.1),
            accumulative_counts=3,
            clip_grad=dict(max_norm=2.0),
            paramwise_cfg=dict(custom_keys=dict(fc=dict(lr_mult=10.0)), norm_decay_mult=0.0),
        )
    )
    for _ in range(2):  # a config can be built again
        wrappers = build_optim_wrapper(net, cfg)
        assert list(wrappers.keys()) == ['sr', 'task']
        sr, task = wrappers['sr'], wrappers['task']
        assert set(groups(sr)) == {id(p) for p in net.sr.parameters()}
        assert isinstance(sr.optimizer, torch.optim.AdamW)
        assert sr.clip_grad_kwargs is None
        assert set(groups(task)) == {id(p) for p in net.task.parameters()}
        assert groups(task)[id(net.task.fc.weight)]['lr'] == pytest.approx(0.2)
        assert groups(task)[id(net.task.backbone[0].weight)]['lr'] == 0.02
        assert groups(task)[id(net.task.backbone[1].weight)]['weight_decay'] == 0
        assert task.clip_grad_kwargs == dict(max_norm=2.0)
        assert task._accumulative_counts == 3


class HalfRate(DefaultOptimWrapperConstructor):
    """As zoo nets bring one, e.g. for layer-wise rates."""

    def add_params(self, params, module, **kwargs):
        params.append(dict(params=list(module.parameters()), lr=self.base_lr / 2))


def test_a_part_may_have_its_own_constructor():
    OPTIM_WRAPPER_CONSTRUCTORS.register_module(module=HalfRate, force=True)
    wrappers = build_optim_wrapper(model(), config(dict(constructor='HalfRate', paramwise_cfg=dict(any=1))))
    assert wrappers.get_lr()['task.lr'] == [0.01]
    assert wrappers.get_lr()['sr.lr'] == [1e-4]


def test_a_weight_with_two_names_is_learned_once():
    """As the heads of D-FINE, which the decoder has, too; its first name counts."""
    net = model()
    net.task.backbone_shared = nn.Sequential(nn.Linear(2, 2))
    net.task.shared = nn.Sequential(net.task.backbone_shared[0])
    task = dict(paramwise_cfg=dict(custom_keys={'backbone_shared': dict(lr_mult=0.5)}))
    wrapper = build_optim_wrapper(net, config(task))['task']
    found = [group for group in wrapper.optimizer.param_groups if group['params'][0] is net.task.shared[0].weight]
    assert len(found) == 1 and found[0]['lr'] == pytest.approx(0.5 * wrapper.optimizer.defaults['lr'])
    task['paramwise_cfg']['custom_keys'] = {'task_last.': dict(lr_mult=2)}
    net.task.task_last = net.task.shared
    with pytest.raises(
        SR4IRError, match=r"'task_last\.' has no effect, because task_last.0.weight is backbone_shared.0.weight"
    ):
        build_optim_wrapper(net, config(task))


@pytest.mark.parametrize(
    'scheme, names',
    [('S', ['sr']), ('H->T', ['task']), ('S->T', ['task']), ('T->S', ['sr']), ('S+T', ['sr', 'task'])],
)
def test_only_nets_that_learn_get_a_wrapper(scheme, names):
    assert list(build_optim_wrapper(model(scheme), config()).keys()) == names


def test_model_wrapped_for_several_devices():
    net = model()
    wrappers = build_optim_wrapper(nn.DataParallel(net), config())
    assert wrappers['task'].param_groups[0]['params'][0] is next(net.task.parameters())


@pytest.mark.parametrize('part', [None, {}])
def test_missing_part(part):
    cfg = config()
    cfg['sr'] = part
    with pytest.raises(SR4IRError, match=r"trains \('sr', 'task'\), but optim_wrapper has no \['sr'\]: add it"):
        build_optim_wrapper(model(), cfg)
    del cfg['sr']
    with pytest.raises(SR4IRError, match=r"trains \('sr', 'task'\), but optim_wrapper has no \['sr'\]: add it"):
        build_optim_wrapper(model(), cfg)
    assert list(build_optim_wrapper(model('H->T'), cfg).keys()) == ['task']  # none is missing here


def test_paramwise_cfg_next_to_the_parts():
    with pytest.raises(SR4IRError, match=r'paramwise_cfg belongs in optim_wrapper\.sr or optim_wrapper\.task'):
        build_optim_wrapper(model(), dict(config(), paramwise_cfg=dict(norm_decay_mult=0.0)))


@pytest.mark.skipif(torch.cuda.is_available(), reason='the wrapper of a CPU')
@pytest.mark.parametrize('scheme, shared', [('S+T', True), ('SR4IR', False)])
def test_nets_with_one_backward_pass_share_the_loss_scale(scheme, shared):
    amp = dict(type='sr4ir_mm.AnyDeviceAmpOptimWrapper')
    wrappers = build_optim_wrapper(model(scheme), config(amp, **amp))
    assert (wrappers['sr'].loss_scaler is wrappers['task'].loss_scaler) == shared
    if shared:
        with pytest.raises(SR4IRError, match="same optim_wrapper 'type'"):
            build_optim_wrapper(model(scheme), config(amp))
    else:
        build_optim_wrapper(model(scheme), config(amp))  # each has its own backward pass


@pytest.mark.parametrize('scheme', ['SR4IR', 'S+T'])
def test_clipped_gradients_of_the_two_networks_have_names_of_their_own_in_the_log(scheme):
    hub = MessageHub.get_instance(f'clip {scheme}')
    clip = dict(clip_grad=dict(max_norm=1e-3))
    net = model(scheme).train()
    wrappers = build_optim_wrapper(net, config(clip, **clip))
    norms = {}
    for name, wrapper in wrappers.items():
        wrapper.message_hub = hub
        clip_grad = wrapper.clip_func
        wrapper.clip_func = lambda *args, name=name, clip=clip_grad, **kw: norms.setdefault(name, clip(*args, **kw))
    net.train_step(toy_batch(), wrappers)
    scalars = {key: float(scalar.current()) for key, scalar in hub.log_scalars.items()}
    assert scalars == pytest.approx({f'train/{name}.grad_norm': float(norm) for name, norm in norms.items()})
    assert len(norms) == 2 and len(set(scalars.values())) == 2


@pytest.mark.parametrize('entry', [dict(type='AmpOptimWrapper'), dict(clip_grad=dict(max_norm=1)), dict(foo=1)])
def test_entries_next_to_the_parts_have_no_effect(entry):
    part = dict(optimizer=dict(type='SGD', lr=0.1))
    with pytest.raises(SR4IRError, match=f'{next(iter(entry))} belongs in optim_wrapper.sr or optim_wrapper.task'):
        SR4IROptimWrapperConstructor(dict(sr=part, task=part, **entry))
