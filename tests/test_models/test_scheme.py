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

from sr4ir_mm.models import SR4IR, Phase

CONFIGS = Path(__file__).parents[2] / 'configs'


def wrappers(model: SR4IR) -> OptimWrapperDict:
    return OptimWrapperDict(
        **{
            name: OptimWrapper(torch.optim.SGD(getattr(model, name).parameters(), lr=0.1))
            for name in model.scheme.trainable_nets
        }
    )


class Flat(nn.Module):
    """S that answers with a constant image, or with a given one; notes whether a graph is built."""

    def __init__(self, answer: torch.Tensor | None = None) -> None:
        super().__init__()
        self.gain, self.answer, self.calls = nn.Parameter(torch.ones(())), answer, []

    def forward(self, x):
        self.calls.append(torch.is_grad_enabled())
        n, c, h, w = x.shape
        given = self.answer is not None and len(self.calls) > 1  # the first call checks the scale
        return self.gain * (self.answer if given else x.new_full((n, c, 4 * h, 4 * w), 0.2))


class Witness(ToyClassifier):
    """T that tells what it sees."""

    def forward(self, inputs, data_samples=None, mode='tensor'):
        self.calls.append(f'{self.tell(inputs)} {"train" if self.training else "eval"}')
        return super().forward(inputs, data_samples, mode)


@pytest.mark.parametrize(
    'scheme, graphs_of_s, seen_by_t',
    [
        ('S', [True], []),
        ('H->T', [], ['hr train']),
        ('L->T', [], ['lr train']),
        ('S->T', [False], ['sr train']),
        ('T->S', [True], ['sr eval']),
        ('S+T', [True], ['sr train']),
        ('SR4IR', [True, False], ['hr eval', 'sr eval', 'sr train', 'hr train', 'mix train']),
    ],
)
def test_what_t_sees_in_training(scheme, graphs_of_s, seen_by_t):
    model = SR4IR(Flat(), Witness(), scale=4, scheme=scheme)
    batch = toy_batch()
    hr = torch.stack(batch['inputs']).flip(1).float() / 255
    lr = model.data_preprocessor.degradation(hr)
    lr = nn.functional.interpolate(lr, scale_factor=4, mode='bilinear', align_corners=True)

    def tell(inputs: torch.Tensor) -> str:
        seen = model.data_preprocessor.denormalize(inputs)
        images = dict(hr=hr, lr=lr, sr=model.sr.gain.detach() * torch.full_like(hr, 0.2))  # S as just updated
        return next((name for name, image in images.items() if (image - seen).abs().max() < 1e-4), 'mix')

    model.task.tell, model.task.calls = tell, []
    model.train().sr.calls.clear()
    model.train_step(batch, wrappers(model))
    assert model.sr.calls == graphs_of_s
    assert model.task.calls == seen_by_t


class GivenImages(nn.Module):
    """A data preprocessor that has nothing to do."""

    def forward(self, data, training=False):
        return data

    def normalize(self, image):
        return image


class GivenLosses(BaseModel):
    """T whose losses are the same for any image."""

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
    log = model.train_step(dict(inputs=dict(task=hr, hr=hr, lr=lr), data_samples=None), wrappers(model))
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
