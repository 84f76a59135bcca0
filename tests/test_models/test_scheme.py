from pathlib import Path

import pytest
import torch
from helpers.toy import ToyClassifier, toy_batch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.registry import MODELS
from torch import nn
from torch.nn.functional import cross_entropy

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SCHEMES, SR4IR, Phase, Scheme
from sr4ir_mm.models.scheme import ALIASES, build_scheme, scheme_name

CONFIGS = Path(__file__).parents[2] / 'configs'


def wrappers(model: SR4IR) -> OptimWrapperDict:
    return OptimWrapperDict(
        **{
            name: OptimWrapper(torch.optim.SGD(getattr(model, name).parameters(), lr=0.1))
            for name in model.scheme.trainable_nets
        }
    )


class Flat(nn.Module):
    """An SR network that returns a constant image, or a given one; notes whether a graph is built."""

    def __init__(self, answer: torch.Tensor | None = None) -> None:
        super().__init__()
        self.gain, self.answer, self.calls = nn.Parameter(torch.ones(())), answer, []

    def forward(self, x):
        self.calls.append(torch.is_grad_enabled())
        n, c, h, w = x.shape
        given = self.answer is not None and len(self.calls) > 1  # the first call checks the scale
        return self.gain * (self.answer if given else x.new_full((n, c, 4 * h, 4 * w), 0.2))


class Witness(ToyClassifier):
    """A task network that notes which image it receives."""

    def forward(self, inputs, data_samples=None, mode='tensor'):
        self.calls.append(f'{self.name_of(inputs)} {"train" if self.training else "eval"}')
        return super().forward(inputs, data_samples, mode)


@pytest.mark.parametrize(
    'scheme, graphs_of_s, received',
    [
        ('S', [True], []),
        ('H->T', [], ['hr train']),
        ('L->T', [], ['bilinear train']),
        ('S->T', [False], ['sr train']),
        ('T->S', [True], ['sr train']),
        ('S+T', [True], ['sr train']),
        ('SR4IR', [True, False], ['hr eval', 'sr eval', 'sr train', 'hr train', 'mix train']),
    ],
)
def test_what_t_receives_in_training(scheme, graphs_of_s, received):
    model = SR4IR(Flat(), Witness(), scale=4, scheme=scheme)
    batch = toy_batch()
    hr = torch.stack(batch['inputs']).flip(1).float() / 255
    lr = model.data_preprocessor.degradation(hr)
    bilinear = nn.functional.interpolate(lr, scale_factor=4, mode='bilinear', align_corners=True)

    def name_of(inputs: torch.Tensor) -> str:
        received = model.data_preprocessor.denormalize(inputs)
        images = dict(
            hr=hr, bilinear=bilinear, sr=model.sr.gain.detach() * torch.full_like(hr, 0.2)
        )  # S as just updated
        return next((name for name, image in images.items() if (image - received).abs().max() < 1e-4), 'mix')

    model.task.name_of, model.task.calls = name_of, []
    model.train().sr.calls.clear()
    model.train_step(batch, wrappers(model))
    assert model.sr.calls == graphs_of_s
    assert model.task.calls == received


class GivenImages(nn.Module):
    """A data preprocessor that has nothing to do."""

    def forward(self, data, training=False):
        return data

    def normalize(self, image):
        return image


class GivenLosses(BaseModel):
    """A task network whose losses are the same for any image."""

    def __init__(self, losses) -> None:
        super().__init__()
        self.losses, self.backbone = losses, nn.Identity()
        self.gain = nn.Parameter(torch.ones(()))

    def forward(self, inputs, data_samples=None, mode='tensor'):
        return {name: value * self.gain for name, value in self.losses.items()}


def cls_losses(npz):
    return dict(loss=cross_entropy(torch.from_numpy(npz['ce_logits']), torch.from_numpy(npz['ce_label'])))


def det_losses(npz):
    return {f'loss_{i}': value for i, value in enumerate(torch.from_numpy(npz['detloss_in']))}


def seg_losses(npz):
    """By the criteria of our config, as mmseg's heads call them."""
    task = Config.fromfile(CONFIGS / '_base_/tasks/deeplabv3_mobilenetv3.py').task
    heads = dict(out=task.decode_head, aux=task.auxiliary_head)
    target = torch.from_numpy(npz['auxce_target']).long()
    return {
        f'loss_{name}': MODELS.build(dict(head.loss_decode, _scope_='mmseg'))(
            torch.from_numpy(npz[f'auxce_{name}']), target, ignore_index=255
        )
        for name, head in heads.items()
    }


@pytest.mark.parametrize(
    'losses, expected',
    [(cls_losses, 'ce_loss_w0.34'), (det_losses, 'detloss_w0.34'), (seg_losses, 'auxce_loss_w0.34')],
)
def test_losses_are_those_of_the_paper_code(fixture, losses, expected):
    npz = fixture('tdp_losses')
    hr, sr = (torch.from_numpy(npz[f'pix_{name}']) for name in ('hr', 'sr'))
    model = SR4IR(Flat(sr), GivenLosses(losses(npz)), scale=4)
    model.tdp_active = False
    model.data_preprocessor = GivenImages()
    lr = hr[..., ::4, ::4]
    log = model.train_step(dict(inputs=dict(hr_inputs=hr, hr=hr, lr=lr), data_samples=None), wrappers(model))
    assert log['sr.loss_pix'].item() == pytest.approx(float(npz['pix_loss']), rel=1e-6)
    for image in ('sr', 'hr', 'mix'):
        parts = [log[f'task.{image}.{name}'].item() for name in model.task.losses]
        assert sum(parts) == pytest.approx(float(npz[expected]), rel=1e-6)
        assert log[f'task.{image}.loss'].item() == pytest.approx(float(npz[expected]), rel=1e-6)


def test_branches_of_a_phase():
    joint = Phase(('sr', 'task'), pixel=1.0, task=dict(sr=0.5, hr=0.5))
    assert joint.branches() == [joint]  # one graph through S
    alone = Phase(('task',), task=dict(sr=0.1, hr=0.2, mix=0.7))
    assert [branch.task for branch in alone.branches()] == [dict(sr=0.1), dict(hr=0.2), dict(mix=0.7)]


# ---- schemes of a user


@pytest.mark.parametrize(
    'name, trainable, frozen, test_input, uses_task',
    [
        ('S', ('sr',), ('task',), 'sr', False),
        ('H->T', ('task',), ('sr',), 'hr', True),
        ('L->T', ('task',), ('sr',), 'bilinear', True),
        ('S->T', ('task',), ('sr',), 'sr', True),
        ('T->S', ('sr',), ('task',), 'sr', True),
        ('S+T', ('sr', 'task'), (), 'sr', True),
        ('SR4IR', ('sr', 'task'), (), 'sr', True),
    ],
)
def test_what_a_scheme_of_the_paper_says(name, trainable, frozen, test_input, uses_task):
    scheme = SCHEMES[name]
    assert (scheme.trainable_nets, scheme.frozen_nets) == (trainable, frozen)
    assert (scheme.test_input, scheme.uses_task_net) == (test_input, uses_task)
    assert build_scheme(name) is build_scheme(scheme) is scheme


def test_aliases_name_every_scheme_without_characters_of_a_shell():
    assert sorted(ALIASES.values()) == sorted(SCHEMES) and all(alias.isalnum() for alias in ALIASES)
    assert all(scheme_name(alias) == scheme_name(name) == name for alias, name in ALIASES.items())
    assert scheme_name('S2T') == 'S->T'
    with pytest.raises(SR4IRError, match=r"Unknown scheme 'S4T'; choose one of .*S->T \(s2t\)"):
        scheme_name('S4T')


HR = dict(learn=('task',), task=dict(hr=1.0))
PIXEL = dict(learn=('sr',), pixel=1.0)


@pytest.mark.parametrize(
    'phases, test_input',
    [
        ([HR, HR], 'hr'),  # twice the same image
        ([dict(learn=('task',), task=dict(bilinear=0.5)), dict(learn=('task',), task=dict(bilinear=1.0))], 'bilinear'),
        ([PIXEL, dict(learn=('task',), task=dict(sr=1.0, hr=1.0))], 'sr'),
        ([dict(learn=('task',), task=dict(mix=1.0))], 'sr'),
        ([dict(learn='sr', pixel=1.0)], 'sr'),  # a string is one network
    ],
)
def test_the_test_input_follows_from_the_phases(phases, test_input):
    assert build_scheme(phases).test_input == test_input


@pytest.mark.parametrize(
    'phases',
    [
        [PIXEL, HR],
        [HR, dict(learn=('task',), task=dict(bilinear=1.0))],
        [dict(learn=('task',), task=dict(sr=1.0, bilinear=1.0))],
    ],
)
def test_an_open_test_input_is_asked_for(phases):
    with pytest.raises(SR4IRError, match='set test_input'):
        build_scheme(phases)
    assert build_scheme(dict(phases=phases, test_input='sr')).test_input == 'sr'


@pytest.mark.parametrize(
    'phase, words',
    [
        (dict(learn=('task',), task=dict(hrr=1.0)), "unknown image 'hrr'; choose from hr, bilinear, sr, mix"),
        (dict(learn=('net',), pixel=1.0), "unknown network 'net'; choose from sr, task"),
        (dict(learn='sr,task', pixel=1.0), "unknown network 'sr,task'"),
        (dict(learn=(), task=dict(sr=1.0)), "'learn' must name one or two networks"),
        (dict(learn=('task',), pixel=1.0, task=dict(sr=1.0)), 'train the SR network only'),
        (dict(learn=('task',), tdp=1.0, task=dict(sr=1.0)), 'train the SR network only'),
        (dict(learn=('sr', 'task'), tdp=1.0, task=dict(sr=1.0)), 'needs a frozen task network'),
        (dict(learn=('sr',), task=dict(hr=1.0)), 'no loss reaches the SR network'),
        (dict(learn=('sr', 'task'), pixel=1.0), 'the task network has no loss'),
        (dict(learn=('task',), task=dict(sr=-1.0)), 'a weight is negative'),
        (dict(learn=('task',), task=dict(sr=float('nan'))), 'not finite'),
        (dict(learn=('sr',), task=dict(sr=1.0, hr=1.0)), 'reaches no network that learns'),
        (dict(learn=('task',), task='sr'), "task='sr' of a phase is not a dict"),
        ('S', 'must be a mapping'),
        (dict(learn=('task',), task=dict(sr=0.0)), 'or that of an image is zero'),
        (dict(learn=('sr',), pixels=1.0), 'pixels'),
        (dict(pixel=1.0), 'learn'),
    ],
)
def test_a_phase_that_cannot_be_meant_is_refused(phase, words):
    with pytest.raises(SR4IRError, match=words):
        SR4IR(Flat(), ToyClassifier(), scale=4, scheme=[phase])


@pytest.mark.parametrize('scheme, words', [
    ([], 'no phase'), (dict(phases=[HR], test_input='mix'), "test_input='mix'"), (dict(phases=[HR], test='hr'), 'test'),
    (dict(phases=[PIXEL], test_input='hr'), 'never uses it'), (dict(test_input='hr'), 'phases'),
    (dict(phases='X'), "Unknown scheme 'X'"), (dict(phases='S+T', reuse_sr=True), 'reuse_sr .* no effect'),
])  # fmt: skip
def test_a_scheme_that_cannot_be_meant_is_refused(scheme, words):
    with pytest.raises(SR4IRError, match=words):
        build_scheme(scheme)


def test_the_former_name_of_the_bilinear_image_still_works():
    with pytest.warns(FutureWarning, match="'lr' of a scheme is now 'bilinear'"):
        assert Scheme([dict(learn=('task',), task=dict(lr=1.0))]) == SCHEMES['L->T']


def test_s_alone_trains_and_predicts_without_a_task_network():
    model = SR4IR(Flat(), None, scale=4, scheme='S').train()
    before = model.sr.gain.item()
    log = model.train_step(toy_batch(), wrappers(model))
    assert list(log) == ['sr.loss_pix', 'loss'] and model.sr.gain.item() != before
    sample = model.eval().test_step(toy_batch())[0]
    assert sample.task_input.shape == sample.hr.shape == (3, 32, 32)
    assert torch.equal(sample.hr, toy_batch()['inputs'][0].flip(0) / 255)
    for scheme in ('T->S', 'SR4IR', 'H->T', [dict(learn=('sr',), pixel=1.0, tdp=1.0)]):
        with pytest.raises(SR4IRError, match='needs a task network'):
            SR4IR(Flat(), None, scale=4, scheme=scheme)


def test_a_phase_with_the_tdp_loss_alone_waits_for_the_end_of_the_warm_up():
    model = SR4IR(
        Flat(), ToyClassifier(), scale=4, scheme=[dict(learn=('sr',), tdp=1.0)], tdp=dict(layers=dict(backbone=1.0))
    )
    model.tdp_active = False
    assert model.train_step(toy_batch(), wrappers(model)) == dict(loss=0)
    model.tdp_active = True
    assert 'sr.loss_tdp' in model.train_step(toy_batch(), wrappers(model))


def test_two_phases_with_one_image_log_the_sum_of_their_losses():
    twice = [dict(learn=('task',), task=dict(hr=1.0))] * 2
    model = SR4IR(None, ToyClassifier(), scale=4, scheme=twice)
    log = model.train_step(toy_batch(), wrappers(model))
    assert log['task.hr.loss'].item() == pytest.approx(log['loss'].item())
