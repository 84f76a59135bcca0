import pytest
import torch
from mmengine.optim import AmpOptimWrapper as MMEngineAmpOptimWrapper
from torch import nn

from sr4ir_mm.compat import amp
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.registry import OPTIM_WRAPPERS

on_cpu = pytest.mark.skipif(amp.get_device() != 'cpu', reason='there is a GPU')


def build(net: nn.Module, **settings: object) -> amp.AnyDeviceAmpOptimWrapper:
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    return OPTIM_WRAPPERS.build(dict(type='sr4ir_mm.AnyDeviceAmpOptimWrapper', optimizer=optimizer, **settings))


@on_cpu
@pytest.mark.parametrize('dtype', [None, 'bfloat16', torch.bfloat16])
def test_step_on_a_cpu(dtype):
    torch.manual_seed(0)
    net, x = nn.Linear(4, 3), torch.randn(5, 4)
    wrapper = build(net, dtype=dtype, clip_grad=dict(max_norm=1e-3), accumulative_counts=2)
    before = net.weight.detach().clone()
    for _ in range(2):
        with wrapper.optim_context(net):
            out = net(x)
        assert out.dtype == torch.bfloat16
        wrapper.update_params(out.float().square().mean())
    change = torch.cat([(p - q).flatten() for p, q in ((net.weight, before),)])
    assert 0 < change.norm() <= 0.1 * 1e-3 * 1.01  # one step, with the gradient clipped
    assert net.weight.dtype == torch.float32


@on_cpu
def test_state_comes_back():
    wrapper = build(nn.Linear(2, 2), dtype='bfloat16')
    wrapper.optimizer.param_groups[0]['lr'] = 0.25
    other = build(nn.Linear(2, 2), dtype='bfloat16')
    other.load_state_dict(wrapper.state_dict())
    assert other.get_lr() == {'lr': [0.25]}


@on_cpu
@pytest.mark.parametrize('dtype', ['float16', torch.float16, 'float64'])
def test_other_types_need_a_gpu(dtype):
    with pytest.raises(SR4IRError, match=r"dtype='bfloat16'"):
        build(nn.Linear(2, 2), dtype=dtype)


def test_with_a_gpu_it_is_mmengines(monkeypatch):
    calls = []
    monkeypatch.setattr(amp, 'get_device', lambda: 'cuda')
    monkeypatch.setattr(MMEngineAmpOptimWrapper, '__init__', lambda self, **kwargs: calls.append(kwargs))
    amp.AnyDeviceAmpOptimWrapper(loss_scale=2.0, dtype='float16', optimizer=None)
    assert calls == [dict(loss_scale=2.0, dtype='float16', use_fsdp=False, optimizer=None)]
    assert not {'backward', 'step', 'state_dict', 'load_state_dict'} & set(vars(amp.AnyDeviceAmpOptimWrapper))
