"""mmcv's ops in ``torch.channels_last``: the compiled ones read the memory as N x C x H x W."""

import sys

import mmcv.ops
import pytest
import torch
from torch.autograd import Function


class RawMemory:
    """An op like the compiled ones: twice the values, in the order in which they lie in memory."""

    def roi_align_forward(self, input, rois, output, *_, **__):
        output.view(-1).copy_(2 * torch.as_strided(input, (input.numel(),), (1,)))

    def roi_align_backward(self, grad_output, rois, y, x, grad_input, **__):
        grad_input.view(-1).copy_(2 * torch.as_strided(grad_output, (grad_output.numel(),), (1,)))


@pytest.fixture
def _raw_memory(monkeypatch):
    monkeypatch.setattr(sys.modules['mmcv.ops.roi_align'], 'ext_module', RawMemory())


@pytest.mark.usefixtures('_raw_memory')
@pytest.mark.parametrize('layout', [torch.contiguous_format, torch.channels_last])
def test_values_do_not_depend_on_the_layout(layout):
    images = torch.arange(24.0).view(1, 2, 3, 4).contiguous(memory_format=layout).requires_grad_()
    out = mmcv.ops.roi_align(images, torch.zeros(1, 5), (3, 4))
    assert torch.equal(out, 2 * images)
    weights = torch.arange(24.0).view(1, 2, 3, 4)
    out.backward(weights.contiguous(memory_format=layout))
    assert torch.equal(images.grad, 2 * weights)


def test_no_function_is_left_out():
    kinds = [
        kind
        for name, part in list(sys.modules.items())
        if name.startswith('mmcv.ops.')
        for kind in vars(part).values()
        if isinstance(kind, type) and issubclass(kind, Function) and kind.__module__ == name
    ]
    assert len(kinds) > 40
    assert all(hasattr(kind.forward, '__wrapped__') and hasattr(kind.backward, '__wrapped__') for kind in kinds)
