"""What a machine computes fast in."""

import pytest
import torch

from sr4ir_mm.compat.fast_types import fast_type


@pytest.mark.parametrize('found', [(), ('_is_amx_tile_supported',), ('_is_avx512_bf16_supported',)])
def test_a_cpu(monkeypatch, found):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    for name in ('_is_amx_tile_supported', '_is_avx512_bf16_supported'):
        monkeypatch.setattr(torch.cpu, name, lambda name=name: name in found, raising=False)
    assert fast_type() == ('bfloat16' if found else '')


def test_an_old_torch(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    for name in ('_is_amx_tile_supported', '_is_avx512_bf16_supported'):
        monkeypatch.delattr(torch.cpu, name, raising=False)
    assert fast_type() == ''


@pytest.mark.parametrize(('capability', 'expected'), [((6, 1), ''), ((7, 0), 'float16'), ((9, 0), 'float16')])
def test_a_gpu(monkeypatch, capability, expected):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'get_device_capability', lambda: capability)
    assert fast_type() == expected
