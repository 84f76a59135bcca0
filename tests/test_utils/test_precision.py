"""Contexts of mixed precision."""

import pytest
import torch
from torch import nn

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.utils import full_precision, is_mixed, mixed_precision


def test_what_is_computed_in_16_bits():
    net, x = nn.Linear(4, 3), torch.rand(2, 4)
    with mixed_precision('cpu'):
        assert net(x).dtype == torch.bfloat16 and is_mixed('cpu') and not is_mixed('mps')
        with full_precision(x.device):
            assert net(x).dtype == torch.float32 and not is_mixed(x.device)
        assert net(x).dtype == torch.bfloat16
    with mixed_precision('cpu', enabled=False):
        assert net(x).dtype == torch.float32
    assert net(x).dtype == torch.float32


def test_a_device_without_mixed_precision():
    with pytest.raises(SR4IRError, match="The device 'mps' has no mixed precision: leave out --amp"):
        mixed_precision('mps')
    with mixed_precision('mps', enabled=False), full_precision('mps'):
        assert torch.ones(1).dtype == torch.float32
