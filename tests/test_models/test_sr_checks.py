"""SR networks of other authors: what would be wrong without a word is refused or reported when they are built."""

import pytest
import torch
from helpers.toy import EDSR
from torch import nn

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import sr_checks
from sr4ir_mm.models.sr_checks import check_foreign, is_foreign
from sr4ir_mm.models.sr_net import build_sr


class Foreign(nn.Module):
    """A network of scale 2 with BatchNorm, and with a fault."""

    def __init__(self, fault: str = '') -> None:
        super().__init__()
        self.conv, self.norm, self.idle = nn.Conv2d(3, 12, 3, 1, 1), nn.BatchNorm2d(12), nn.Linear(2, 2)
        self.idle.requires_grad_(fault == 'idle')
        self.fault = fault

    def forward(self, x):
        if self.fault == 'in place':
            x *= 255
        if self.fault == 'random':
            x = x + torch.rand_like(x)
        return nn.functional.pixel_shuffle(self.norm(self.conv(x)), 2)


@pytest.fixture
def lines(monkeypatch) -> list[str]:
    found = []
    monkeypatch.setattr(sr_checks, 'print_log', lambda text, *_: found.append(text))
    return found


def test_an_input_that_is_changed():
    with pytest.raises(SR4IRError, match=r'\(Foreign\) changes the image that it receives: let it work on x.clone'):
        build_sr(Foreign('in place'), 2)


@pytest.mark.parametrize(
    ('fault', 'message'),
    [
        ('', ''),
        ('random', 'The SR network (Foreign) returns another image each time, also in eval mode'),
        (
            'idle',
            '2 parameters of the SR network (Foreign) get no gradient and stay as they are: idle.weight, idle.bias',
        ),
    ],
)
def test_what_is_reported(fault, message, lines):
    build_sr(Foreign(fault), 2)
    assert len(lines) == bool(message) and message in ''.join(lines)


def test_the_network_and_the_random_numbers_stay_as_they_are():
    net = Foreign('random')
    before, state = {name: value.clone() for name, value in net.state_dict().items()}, torch.get_rng_state()
    check_foreign(net)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert net.training and all(value.grad is None for value in net.parameters())
    assert torch.equal(torch.get_rng_state(), state)


def test_which_networks_are_foreign():
    sr, _ = build_sr(dict(EDSR), 4)
    assert is_foreign(Foreign()) and not is_foreign(sr)
    pytest.importorskip('spandrel')
    parameters = dict(num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=4)
    sr, _ = build_sr(dict(type='sr4ir_mm.SpandrelSR', architecture='SPAN', parameters=parameters), 4)
    assert is_foreign(sr)
