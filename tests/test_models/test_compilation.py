"""``torch.compile`` of the networks. The backends here trace as usual, and need no C++ compiler."""

import copy

import pytest
import torch
from helpers.toy import EDSR, ToyClassifier, toy_batch
from helpers.zoo import wrappers_for

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR, compilation
from sr4ir_mm.models.compilation import compile_networks

SWINIR = dict(
    type='mmagic.SwinIRNet', upscale=4, in_chans=3, img_size=16, window_size=4, depths=[1], embed_dim=8, num_heads=[2],
    mlp_ratio=2, upsampler='pixelshuffledirect',
)  # fmt: skip


def toy(compiled: bool, layer: str = 'backbone', sr: dict = EDSR) -> SR4IR:
    torch.manual_seed(0)
    model = SR4IR(dict(sr), ToyClassifier(), scale=4, cqmix=dict(grid=4), tdp=dict(layers={layer: 1.0}))
    if compiled:
        assert compile_networks(model, backend='eager') == ['sr', 'task.backbone']
    return model


@pytest.fixture
def runs(monkeypatch) -> list[str]:
    """Names of the networks that run compiled, in order."""
    names, compiled = [], torch.compile

    def watch(function, **options):
        traced = compiled(function, **options)

        def run(owner, *args):
            names.append(type(owner).__name__)
            return traced(owner, *args)

        return run

    monkeypatch.setattr(torch, 'compile', watch)
    return names


@pytest.mark.parametrize('layer', ['backbone', 'backbone.3'])
def test_a_step_is_the_same_whatever_layer_the_tdp_loss_compares(runs, layer):
    """A hook in a compiled network would never be called: while one waits there, the network runs as it was."""
    losses, states = [], []
    for compiled in (False, True):
        model = toy(compiled, layer)
        torch.manual_seed(1)
        losses.append(model.train_step(toy_batch(), wrappers_for(model)))
        states.append(model.state_dict())
    assert losses[0].keys() == losses[1].keys() and 'sr.loss_tdp' in losses[0]
    torch.testing.assert_close(*losses)
    torch.testing.assert_close(*states)  # with the same names
    assert runs.count('Sequential') == (3 if layer == 'backbone.3' else 5)  # losses of T; and two features
    assert runs.count('EDSRNet') == 2


def test_a_copy_has_its_own_weights():
    """As that of an EMAHook; and an SR network that pads its images is compiled too."""
    model = toy(True, sr=SWINIR).eval()
    twin = copy.deepcopy(model)
    for parameter in twin.sr.parameters():
        parameter.data.mul_(1.5)
    expected = toy(False, sr=SWINIR).eval()
    for net, factor in ((model, 1.0), (twin, 1.5)):
        plain = copy.deepcopy(expected)
        for parameter in plain.sr.parameters():
            parameter.data.mul_(factor)
        lr = torch.rand(1, 3, 18, 17)
        with torch.no_grad():
            torch.testing.assert_close(net.upsample(lr), plain.upsample(lr))


def test_a_machine_without_a_compiler(monkeypatch):
    monkeypatch.setattr(compilation.shutil, 'which', lambda name: None)
    with pytest.raises(SR4IRError, match=r'needs a C\+\+ compiler, and none was found: install g\+\+ or set CXX'):
        compile_networks(toy(False))
    compile_networks(toy(False), backend='eager')


def test_a_python_that_pytorch_does_not_compile(monkeypatch):
    def compile(*_, **__):
        raise RuntimeError('Dynamo is not supported on Python 3.99')

    monkeypatch.setattr(torch, 'compile', compile)
    with pytest.raises(SR4IRError, match=r'not supported on Python 3\.99\. Leave out --compile'):
        compile_networks(toy(False), backend='eager')
