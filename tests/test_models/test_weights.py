"""Weights that do not cover the networks are refused, whichever way they are loaded."""

import copy
import pickle
import re

import pytest
import torch
from helpers.toy import EDSR, ToyClassifier, ToyDataset, toy_batch
from helpers.zoo import runner_for
from mmengine.model import ExponentialMovingAverage
from mmengine.runner import load_checkpoint

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR


def model(scheme: str = 'SR4IR', classes: int = 10, sr: dict | None = None, **options) -> SR4IR:
    has_sr, has_task = scheme not in ('H->T', 'L->T'), scheme != 'S'
    sr = {**EDSR, **(sr or {})}
    task = ToyClassifier(classes) if has_task else None
    return SR4IR(sr if has_sr else None, task, 4, scheme, tdp=dict(layers=dict(backbone=1.0)), **options)


@pytest.fixture
def log(monkeypatch) -> list[str]:
    """The lines of the log about what was not loaded."""
    lines = []
    monkeypatch.setattr('sr4ir_mm.models.weights.print_log', lambda line, *args: lines.append(line))
    return lines


@pytest.fixture
def save(tmp_path):
    """Save a state dict as a checkpoint and return its name."""

    def save(state: dict) -> str:
        path = tmp_path / 'a.pth'
        torch.save(dict(state_dict=state, meta={}), path)
        return str(path)

    return save


def state_of(scheme: str, **options) -> dict:
    return model(scheme, **options).state_dict()


def part(state: dict, prefix: str) -> dict:
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}


HEAD = r'it has other shapes task\.fc\.weight \(4, 16\) for \(10, 16\), task\.fc\.bias'
#: what is in the file, and the end of the message
FILES = {
    'bare T': (lambda: ToyClassifier().state_dict(), r'It holds a task network alone.*model\.task\.init_cfg'),
    'bare S': (lambda: part(state_of('S'), 'sr.'), r'super-resolution network alone.*model\.sr\.init_cfg'),
    'S of mmagic': (
        lambda: {f'generator.{key}': value for key, value in part(state_of('S'), 'sr.').items()},
        r"model\.sr\.init_cfg=dict\(type='Pretrained', prefix='generator\.'",
    ),
    'scheme S': (lambda: state_of('S'), r'It has no task network: it is of another scheme'),
    'scheme L->T': (lambda: state_of('L->T'), r'It has no super-resolution network: it is of another scheme'),
    'another model': (lambda: dict(weight=torch.ones(1)), r'another model; its entries are weight'),
    'other classes': (lambda: state_of('SR4IR', classes=4), HEAD + r'.*model\.may_differ=task\.fc$'),
    'a deeper S': (lambda: state_of('SR4IR', sr=dict(num_blocks=3)), r'it also has sr\.body\.2'),
    'a wider S': (lambda: state_of('SR4IR', sr=dict(mid_channels=16)), r'it has other shapes sr\.conv_first'),
    'one key less': (
        lambda: {key: value for key, value in state_of('SR4IR').items() if key != 'task.fc.bias'},
        r'it lacks task\.fc\.bias\. Use the config of that training.*model\.may_differ=task\.fc$',
    ),
}


@pytest.mark.parametrize('kind', FILES)
def test_a_checkpoint_that_does_not_fit(kind, save):
    make, end = FILES[kind]
    name = save(make())
    with pytest.raises(SR4IRError, match=f"^'{re.escape(name)}' does not fit the config: .*{end}"):
        load_checkpoint(model(), name)
    with pytest.raises(SR4IRError, match=f'^The state dict does not fit the config: .*{end}'):
        model().load_state_dict(make())


@pytest.mark.parametrize('scheme', ['S', 'H->T', 'L->T', 'S->T', 'T->S', 'S+T', 'SR4IR'])
def test_a_checkpoint_of_the_same_scheme(scheme, save):
    state = state_of(scheme)
    loaded = model(scheme)
    assert loaded.random_parts == loaded.used_nets != []
    load_checkpoint(loaded, save(state))
    assert loaded.random_parts == []
    assert all(torch.equal(value, state[key]) for key, value in loaded.state_dict().items())


def test_nothing_that_was_loaded_is_kept():
    """A file can be as large as the model."""
    loaded, size = model(), len(pickle.dumps(model()))
    loaded.load_state_dict(state_of('SR4IR'))
    assert len(pickle.dumps(loaded)) < size + 1000


@pytest.mark.parametrize('value', [5, dict(a=1)])
def test_an_entry_that_is_no_tensor(value, save):
    with pytest.raises(SR4IRError, match=r'does not fit the config: it also has sr\.step'):
        load_checkpoint(model(), save({**state_of('SR4IR'), 'sr.step': value}))
    load_checkpoint(model(), save({**state_of('SR4IR'), 'step': value}))


class Renaming(ToyClassifier):
    """A network that takes a weight of a file for an old one of another name, as mmdet's AnchorFreeHead may."""

    def _load_from_state_dict(self, state, prefix, *args):
        state[f'{prefix}old_fc'] = state.pop(f'{prefix}fc.weight')
        super()._load_from_state_dict(state, prefix, *args)


def test_a_weight_that_the_network_leaves_out():
    renaming = SR4IR(dict(EDSR), Renaming(), 4, tdp=dict(layers=dict(backbone=1.0)))
    with pytest.raises(SR4IRError, match=r'it lacks task\.fc\.weight'):
        renaming.load_state_dict(state_of('SR4IR'))


def test_a_network_that_gives_a_part_a_second_name_when_it_is_trained(save):
    """mmdet's DDQ does, so its checkpoints have more keys than a new network."""
    state = state_of('SR4IR')
    state |= {key.replace('task.fc', 'task.again'): value.clone() for key, value in state.items() if 'task.fc' in key}
    loaded = model()
    load_checkpoint(loaded, save(state))
    assert loaded.random_parts == [] and torch.equal(loaded.task.fc.weight, state['task.again.weight'])
    state['task.again.weight'] += 1
    with pytest.raises(SR4IRError, match=r'it also has task\.again\.weight\.'):
        model().load_state_dict(state)


def test_weights_that_the_scheme_does_not_use_are_named(save, log):
    loaded, name = model('L->T'), save(state_of('SR4IR'))
    load_checkpoint(loaded, name)
    assert loaded.random_parts == []
    assert log == [f"'{name}': weights that the scheme does not use: sr"]


def test_other_classes_on_request(save, log):
    loaded = model(may_differ='task.fc')
    head, name = loaded.task.fc.weight.clone(), save(state_of('SR4IR', classes=4))
    load_checkpoint(loaded, name)
    assert torch.equal(loaded.task.fc.weight, head)
    assert len(log) == 1 and 'not loaded, as model.may_differ says: it has other shapes task.fc.weight' in log[0]
    assert loaded.random_parts == ['task.fc.weight', 'task.fc.bias']
    with pytest.raises(SR4IRError, match='does not fit'):
        load_checkpoint(model(may_differ='task.f'), name)  # not the name of a module


def test_a_partial_load_that_pytorch_is_asked_for():
    loaded = model()
    loaded.load_state_dict(part(state_of('S'), '') | {'more': torch.ones(1)}, strict=False)
    assert {key.partition('.')[0] for key in loaded.random_parts} == {'task'} and loaded.may_differ == []


def test_old_batch_norms_do_not_count_batches(save):
    state = {key: value for key, value in state_of('SR4IR').items() if 'num_batches_tracked' not in key}
    load_checkpoint(model(), save(state))


def test_averaged_models():
    """They hold a copy of the model, and load it under the prefix 'module.'."""
    averaged = ExponentialMovingAverage(model())
    state = copy.deepcopy(averaged.state_dict())
    averaged.load_state_dict(state)
    del state['module.task.fc.bias']
    with pytest.raises(SR4IRError, match=r'it lacks task\.fc\.bias'):
        averaged.load_state_dict(state)


#: net, its init_cfg without the checkpoint, what is in the file, and the end of the message
STARTS = {
    'SR4IR for T': (
        'task', {}, lambda: state_of('SR4IR'), r"have the prefix 'task\.' there: add prefix='task\.'\. To start both"
    ),
    'S for T': ('task', {}, lambda: part(state_of('S'), 'sr.'), r'Name a file for this network\.$'),
    'a deeper S': (
        'sr', dict(prefix='sr.'), lambda: state_of('S', sr=dict(num_blocks=4)), r'it also has sr\.body\.2.*may_differ'
    ),
    'other classes': (
        'task', dict(prefix='task'), lambda: state_of('SR4IR', classes=4), HEAD + r'.*model\.may_differ=task\.fc$'
    ),
}  # fmt: skip


def started(net: str, init_cfg: dict, **options) -> SR4IR:
    if net == 'sr':
        return model(sr=dict(init_cfg=init_cfg), **options)
    made = model(**options)
    made.task.init_cfg = init_cfg
    return made


@pytest.mark.parametrize('kind', STARTS)
def test_a_start_that_does_not_fit(kind, save):
    net, options, make, end = STARTS[kind]
    name = save(make())
    where = rf'does not fit the \S+ network \(model\.{net}\.init_cfg\)'
    with pytest.raises(SR4IRError, match=f"^'{re.escape(name)}' {where}: .*{end}"):
        started(net, dict(type='Pretrained', checkpoint=name, **options)).init_weights()


@pytest.mark.parametrize('net', ['sr', 'task'])
def test_a_start_that_fits(net, save):
    state = state_of('SR4IR')
    name = save(state | {f'{net}.ema_of_the_zoo': torch.ones(1)})
    made = started(net, dict(type='Pretrained', checkpoint=name, prefix=net))
    made.init_weights()
    assert all(torch.equal(value, state[key]) for key, value in made.state_dict().items() if key.startswith(net))
    assert made.random_parts == ['sr', 'task']  # before it is trained
    assert not any(len(module._load_state_dict_post_hooks) for module in made.modules() if module is not made)


def test_a_start_with_other_classes_on_request(save):
    init_cfg = dict(type='Pretrained', checkpoint=save(state_of('SR4IR', classes=4)), prefix='task.')
    made = started('task', init_cfg, may_differ=['task.fc'])
    before = made.task.fc.weight.clone()
    made.init_weights()
    assert torch.equal(made.task.fc.weight, before)


@pytest.mark.parametrize('net', ['sr', 'task'])
def test_a_prefix_that_is_in_no_key(net, save):
    name = save(state_of('SR4IR'))
    made = started(net, dict(type='Pretrained', checkpoint=name, prefix='generator.'))
    with pytest.raises(SR4IRError, match=rf"No key in '{re.escape(name)}' starts with 'generator\.'"):
        made.init_weights()


def test_a_backbone(save):
    """Most of it must fit; what a zoo adds may be missing."""
    from mmpretrain.models import ResNet

    from sr4ir_mm.models.weights import checked_init

    small, other = ResNet(18, norm_eval=False), ResNet(50, norm_eval=False)
    task = ToyClassifier()
    task.backbone = other
    made = SR4IR(None, task, 4, 'L->T')
    with (
        checked_init(made),
        pytest.raises(
            SR4IRError, match=r'fits only \d+ of the 265 weights of model\.task\.backbone \(ResNet\), .* Name a file'
        ),
    ):
        load_checkpoint(other, save(small.state_dict()))
    with checked_init(made), pytest.raises(SR4IRError, match=r"add prefix='backbone\.'"):
        load_checkpoint(other, save({f'backbone.{key}': value for key, value in other.state_dict().items()}))
    state = {key: value for key, value in other.state_dict().items() if not key.startswith('layer4')}
    with checked_init(made):
        load_checkpoint(other, save(state))


@pytest.mark.parametrize(
    'content', [b'', b'no weights', b'import torch\nx = 1\n', b'{"a": 1}', bytes(99), b'PK\x03\x04']
)
def test_a_file_that_is_no_checkpoint(content, tmp_path):
    (tmp_path / 'a.pth').write_bytes(content)
    with pytest.raises(SR4IRError, match=r"a\.pth' is not a file of weights, or it is damaged: \w+Error"):
        load_checkpoint(model(), str(tmp_path / 'a.pth'))


@pytest.mark.parametrize('share', [0.01, 0.3, 0.5, 0.9, 0.999])
@pytest.mark.parametrize('zipped', [True, False])
def test_a_file_that_is_cut_off(share, zipped, tmp_path):
    path = tmp_path / 'a.pth'
    torch.save(dict(state_dict=state_of('SR4IR')), path, _use_new_zipfile_serialization=zipped)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(SR4IRError, match=r"a\.pth' is not a file of weights, or it is damaged: \w+Error"):
        load_checkpoint(model(), str(path))


@pytest.mark.parametrize('content', [[1], torch.ones(1), None, {}, {1: 2}, dict(state_dict=None), dict(state_dict=[])])
def test_a_file_without_a_state_dict(content, tmp_path):
    torch.save(content, tmp_path / 'a.pth')
    with pytest.raises(SR4IRError, match=r"a\.pth' (has no state dict of a network|.* it holds no dict)"):
        load_checkpoint(model(), str(tmp_path / 'a.pth'))


def test_a_state_dict_under_another_name_and_a_bare_one(tmp_path):
    torch.save(dict(model=state_of('SR4IR'), epoch=1), tmp_path / 'a.pth')
    with pytest.raises(SR4IRError, match='its entries are model, epoch'):
        load_checkpoint(model(), str(tmp_path / 'a.pth'))
    torch.save(dict(state_of('SR4IR')), tmp_path / 'a.pth')
    load_checkpoint(model(), str(tmp_path / 'a.pth'))


def runner_to_test(folder, made: SR4IR, **options):
    """A Runner that tests, as our configs do."""
    loader = dict(batch_size=2, num_workers=0, dataset=ToyDataset(toy_batch()), sampler=dict(type='DefaultSampler'))
    evaluator = [dict(type='sr4ir_mm.SRQuality', metrics=['PSNR'])]
    return runner_for(made, ToyDataset(toy_batch()), folder, test_dataloader=loader, test_evaluator=evaluator,
                      test_cfg=dict(), train_cfg=dict(by_epoch=True, max_epochs=1), **options)  # fmt: skip


def test_a_test_without_weights(save, tmp_path):
    with pytest.raises(SR4IRError, match=r'A test would use random weights \(sr, task\): load a checkpoint'):
        runner_to_test(tmp_path / 'none', model()).test()
    name = save(state_of('SR4IR', classes=4))
    with pytest.raises(SR4IRError, match=r'random weights \(task\.fc\.weight, task\.fc\.bias\)'):
        runner_to_test(tmp_path / 'part', model(may_differ='task.fc'), load_from=name).test()
    assert 'sr/PSNR' in runner_to_test(tmp_path / 'all', model(), load_from=save(state_of('SR4IR'))).test()
    runner = runner_to_test(tmp_path / 'trained', model(may_differ='task.fc'), load_from=name)
    runner.train()
    assert 'sr/PSNR' in runner.test()


def test_bare_weights_for_an_averaged_model(tmp_path):
    """MMEngine's EMAHook looks for them under 'state_dict'."""
    torch.save(dict(state_of('SR4IR')), tmp_path / 'a.pth')
    hooks = [dict(type='sr4ir_mm.AlternatingUpdateHook'), dict(type='EMAHook')]
    options = dict(custom_hooks=hooks, load_from=str(tmp_path / 'a.pth'))
    assert 'sr/PSNR' in runner_to_test(tmp_path / 'w', model(), **options).test()
