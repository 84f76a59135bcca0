"""Functions that an export replaces: they compute what those of the libraries compute."""

from importlib import import_module
from operator import attrgetter
from types import SimpleNamespace

import pytest
import torch

from sr4ir_mm.compat.torch_export import free_sizes

SELF = SimpleNamespace(window_size=4)
WINDOWS, IMAGE = torch.rand(2 * 2 * 3, 4, 4, 5), torch.rand(2, 3, 9, 14)
SIZE = 2 * 4, 3 * 4
FLAT = torch.rand(2 * 4 * 2, 2 * 6, 5)  # windows of 2 x 6 pixels in a row
CASES = [
    ('mmagic.models.editors.swinir.swinir_net', 'SwinIRNet.check_image_size', (SELF, IMAGE), {}),
    ('mmagic.models.editors.swinir.swinir_rstb', 'window_reverse', (WINDOWS, 4, *SIZE), {}),
    ('mmseg.models.backbones.swin', 'ShiftWindowMSA.window_reverse', (SELF, WINDOWS, *SIZE), {}),
    ('mmdet.models.backbones.swin', 'ShiftWindowMSA.window_reverse', (SELF, WINDOWS, *SIZE), {}),
    ('mmpretrain.models.utils.attention', 'ShiftWindowMSA.window_reverse', (WINDOWS, *SIZE, 4), {}),
    *(
        (f'spandrel.architectures.{name}', 'window_reverse', (WINDOWS, 4, *SIZE), {})
        for name in ('SwinIR.__arch.SwinIR', 'Swin2SR.__arch.Swin2SR', 'HAT.__arch.HAT', 'DRCT.__arch.drct_arch')
    ),
    *(
        (f'spandrel.architectures.{name}', 'windows2img', (FLAT, 2, 6, *SIZE), {})
        for name in ('DAT.__arch.DAT', 'RGT.__arch.rgt', 'CRAFT.__arch.CRAFT')
    ),
    ('spandrel.architectures.__arch_helpers.padding', 'pad_to_multiple', (IMAGE, 4), dict(mode='reflect')),
    ('spandrel.architectures.__arch_helpers.padding', 'pad_to_multiple', (IMAGE, 4), dict(mode='constant', value=0.5)),
]


@pytest.mark.parametrize(
    ('name', 'function', 'args', 'options'), CASES, ids=[f'{name}.{function}' for name, function, *_ in CASES]
)
def test_a_replaced_function_computes_the_same(name, function, args, options):
    pytest.importorskip(name.partition('.')[0])
    module, get = import_module(name), attrgetter(function)
    original = get(module)
    with free_sizes(free=False):
        replaced = get(module)
    assert replaced is not original and get(module) is original
    assert torch.equal(replaced(*args, **options), original(*args, **options))


def test_other_functions_of_these_names_stay():
    pytest.importorskip('spandrel')
    grl = import_module('spandrel.architectures.GRL.__arch.ops')
    original = grl.window_reverse  # takes the size as one argument
    with free_sizes(free=False):
        assert grl.window_reverse is original
