"""Mixed precision as an option."""

import pytest

from sr4ir_mm.config import amp, enable_amp, load_config
from sr4ir_mm.config.amp import amp_advice, enable_test_amp
from sr4ir_mm.errors import SR4IRError


@pytest.mark.parametrize('gpu', [True, False])
def test_mixed_precision_reaches_both_nets(path, monkeypatch, gpu):
    monkeypatch.setattr(amp.torch.cuda, 'is_available', lambda: gpu)
    cfg = load_config(path)
    for _ in range(2):  # again changes nothing
        enable_amp(cfg)
    expected = dict(type='sr4ir_mm.AnyDeviceAmpOptimWrapper', **({} if gpu else dict(dtype='bfloat16')))
    assert cfg.optim_wrapper.to_dict() == dict(
        constructor='c',
        sr=dict(optimizer=dict(type='SGD'), **expected),
        task=dict(clip_grad=dict(max_norm=1), **expected),
    )


def test_mixed_precision_keeps_what_a_config_chose(path):
    cfg = load_config(path, {'optim_wrapper.task.type': 'AmpOptimWrapper', 'optim_wrapper.task.dtype': 'float16'})
    del cfg.optim_wrapper['sr']  # a scheme that trains T alone
    enable_amp(cfg)
    assert cfg.optim_wrapper.task.to_dict() == dict(type='AmpOptimWrapper', dtype='float16', clip_grad=dict(max_norm=1))
    cfg.optim_wrapper.task.type = 'ApexOptimWrapper'
    with pytest.raises(SR4IRError, match=r"cannot replace optim_wrapper\.task\.type='ApexOptimWrapper'\. Set it to"):
        enable_amp(cfg)


@pytest.mark.parametrize('kind', ['bfloat16', 'float16', ''])
def test_advice_for_a_machine_that_is_made_for_it(path, monkeypatch, kind):
    monkeypatch.setattr(amp, 'fast_type', lambda: kind)
    advice = amp_advice(load_config(path))
    assert (kind in advice and '--amp' in advice) if kind else advice == ''
    cfg = load_config(path)
    enable_amp(cfg)
    assert amp_advice(cfg) == ''
    apex = load_config(path, {'optim_wrapper.task.type': 'ApexOptimWrapper'})  # which --amp refuses
    assert amp_advice(apex) == ''


def test_mixed_precision_in_a_test_keeps_the_loop(path):
    cfg = load_config(path, {'test_cfg': dict(type='TestLoop')})
    enable_test_amp(cfg)
    assert cfg.test_cfg == dict(type='TestLoop', fp16=True)
