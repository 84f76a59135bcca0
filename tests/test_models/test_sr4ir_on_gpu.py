"""SR4IR on a fake GPU: fake tensors have shapes and devices, but no numbers."""

import pytest
from helpers.torch_version import needs_fake_gpu
from helpers.toy import EDSR
from helpers.zoo import batch_for, net_config, wrappers_for
from mmengine.optim import OptimWrapper
from test_sr4ir import SCHEMES
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from sr4ir_mm.models import SR4IR


def move(model: SR4IR, gpu: FakeTensorMode) -> None:
    """Replace what is in a model; ``Module.to`` cannot, as the tensors are of another kind."""
    for module in model.modules():
        for name, param in module._parameters.items():
            if param is not None:
                fake = gpu.from_tensor(param.detach()).cuda()
                module._parameters[name] = nn.Parameter(fake, requires_grad=param.requires_grad)
        for name, buffer in module._buffers.items():
            module._buffers[name] = None if buffer is None else gpu.from_tensor(buffer).cuda()


@needs_fake_gpu
@pytest.mark.parametrize('scheme', SCHEMES)
def test_a_step_mixes_no_devices_and_waits_for_no_number(scheme, monkeypatch):
    sr = None if scheme in ('H->T', 'L->T') else EDSR
    cfg = net_config('resnet18')
    model = SR4IR(sr, cfg, scale=4, scheme=scheme).train()
    model.data_preprocessor.checked_stages.add(True)  # the first batch waits for the range of its numbers,
    if model.recorder:
        model.recorder._is_first = False  # and for what the log says of its features
    wrappers = wrappers_for(model)
    batch = model.task.data_preprocessor(batch_for(cfg, (62, 64), (64, 61)), True)  # pads by numbers, on the CPU
    seen = []
    monkeypatch.setattr(OptimWrapper, 'backward', lambda self, loss: seen.append(loss.device.type))
    monkeypatch.setattr(OptimWrapper, 'step', lambda self: None)
    with FakeTensorMode(allow_non_fake_inputs=True) as gpu:
        move(model, gpu)
        fakes = dict(
            inputs=gpu.from_tensor(batch['inputs']).cuda(),
            data_samples=[sample.to('cuda') for sample in batch['data_samples']],
        )
        monkeypatch.setattr(model.data_preprocessor.task_preprocessor, 'forward', lambda data, training: fakes)
        log = model.train_step(dict(inputs=list(batch['inputs'])), wrappers)
    assert set(seen) == {'cuda'} == {value.device.type for value in log.values()}
