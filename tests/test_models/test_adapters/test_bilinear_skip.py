"""An SR network that starts from the bilinear image."""

import copy
import pickle

import pytest
import torch
import torch.nn.functional as F
from helpers.toy import EDSR, ToyClassifier, toy_batch
from helpers.zoo import wrappers_for

from sr4ir_mm.config import find_sr
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR
from sr4ir_mm.models.sr_net import build_sr

SKIP = dict(type='sr4ir_mm.BilinearSkip', net=dict(EDSR, rgb_mean=[0.0] * 3))


def bilinear(lr: torch.Tensor, scale: int) -> torch.Tensor:
    return F.interpolate(lr, scale_factor=scale, mode='bilinear', align_corners=False)


def trained() -> torch.nn.Module:
    """The network with a last layer that adds something."""
    net, _ = build_sr(SKIP, 4)
    torch.nn.init.normal_(net.residual.conv_last.weight, std=0.1)
    return net


@pytest.mark.parametrize('scale', [2, 3, 4, 8])
@pytest.mark.parametrize('memory_format', [torch.contiguous_format, torch.channels_last])
@torch.no_grad()
def test_the_first_image_is_the_bilinear_one(scale, memory_format):
    net, _ = build_sr(find_sr('edsr-s', scale), scale)
    lr = torch.rand(2, 3, 17, 23)
    assert torch.equal(net.to(memory_format=memory_format)(lr), bilinear(lr, scale))
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(net(lr), bilinear(lr, scale))  # not rounded to 16 bits


def test_it_learns_from_the_first_step():
    """All layers but the last one get their first gradient in the second step."""
    model = SR4IR(SKIP, ToyClassifier(), 4, scheme='S')
    wrappers = wrappers_for(model)
    before = copy.deepcopy(model.sr.state_dict())
    for _ in range(2):
        model.train_step(toy_batch(), wrappers)
    assert all(not torch.equal(value, before[key]) for key, value in model.sr.state_dict().items())


@torch.no_grad()
def test_copies_have_their_own_weights():
    net, lr = trained(), torch.rand(1, 3, 9, 11)
    assert not torch.equal(net(lr), bilinear(lr, 4))
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert torch.equal(twin(lr), net(lr))
        twin.residual.conv_last.weight.zero_()
        assert torch.equal(twin(lr), bilinear(lr, 4) + twin.residual.conv_last.bias.view(3, 1, 1))


@pytest.mark.parametrize(
    ('net', 'words'),
    [
        (EDSR, r'EDSRNet adds a mean .* its last layer \(Conv2d\)\. Set its mean to 0'),
        (dict(type='mmagic.MSRResNet', in_channels=3, out_channels=3, mid_channels=8, num_blocks=1), 'MSRResNet adds'),
    ],
)
def test_a_network_that_does_not_start_from_zero_is_refused(net, words):
    with pytest.raises(SR4IRError, match=words):
        build_sr(dict(SKIP, net=dict(net)), 4)


def test_a_wrong_scale_is_refused():
    with pytest.raises(SR4IRError, match=r'network \(BilinearSkip\) turns .* 128 x 128, but scale=8 needs'):
        build_sr(dict(find_sr('edsr-s', 4), init_cfg=None), 8)


def start(net: dict, file) -> SR4IR:
    model = SR4IR(dict(net, init_cfg=dict(type='Pretrained', checkpoint=str(file))), ToyClassifier(), 4, scheme='S')
    model.init_weights()
    return model


@pytest.mark.parametrize('prefix', ['', 'sr.', 'module.sr.'])
def test_weights_are_found_and_those_of_a_network_without_skip_are_not(tmp_path, prefix):
    """Names and shapes of the inner network would fit, in both directions."""
    net = trained()
    torch.save({prefix + key: value for key, value in net.state_dict().items()}, tmp_path / 'skip.pth')
    found = start(SKIP, tmp_path / 'skip.pth').sr.state_dict()
    assert all(torch.equal(found[key], value) for key, value in net.state_dict().items())
    with pytest.raises(SR4IRError, match=r'skip.pth.* has a EDSRNet whose output is added to the bilinear image'):
        start(EDSR, tmp_path / 'skip.pth')
    torch.save({prefix + key: value for key, value in net.residual.state_dict().items()}, tmp_path / 'plain.pth')
    with pytest.raises(SR4IRError, match=r'plain.pth.* does not fit the super-resolution network'):
        start(SKIP, tmp_path / 'plain.pth')
