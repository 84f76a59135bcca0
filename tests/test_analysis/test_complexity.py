"""FLOPs and parameters against what can be counted by hand."""

import torch
from helpers.toy import ToyClassifier, imagenet_preprocessor
from torch import nn

from sr4ir_mm.analysis.complexity import measure
from sr4ir_mm.models import SR4IR


class Nearest(nn.Module):
    """conv 3 -> 3 of 3 x 3, then nearest neighbors."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        return self.conv(lr).repeat_interleave(4, -1).repeat_interleave(4, -2)


class WithAuxiliary(ToyClassifier):
    """A head that only the training uses."""

    def __init__(self, **kwargs) -> None:
        super().__init__(norm=False, **kwargs)
        self.auxiliary = nn.Sequential(nn.Linear(16, 10), nn.Linear(10, 10))


def test_by_hand():
    model = SR4IR(Nearest(), WithAuxiliary(), 4, tdp=dict(layers={'backbone': 1.0}))
    nets = measure(model, 8, 12)
    sr, task = nets['S'], nets['T']
    assert (sr.input_shape, task.input_shape) == ((1, 3, 8, 12), (1, 3, 32, 48))
    assert sr.params == 3 * 3 * 9 + 3 and sr.flops == 8 * 12 * 3 * 3 * 9
    assert sr.uncounted and 'aten::convolution' not in sr.uncounted and sr.idle == []
    # conv of stride 4 twice, linear
    assert task.flops == 8 * 12 * 8 * 3 * 9 + 2 * 3 * 16 * 8 * 9 + 16 * 10
    assert task.params == 8 * 27 + 16 * 72 + 170 + 170 + 110
    assert task.idle == ['auxiliary']


def test_padding_of_t_counts():
    preprocessor = imagenet_preprocessor(pad_size_divisor=32)
    model = SR4IR(Nearest(), ToyClassifier(data_preprocessor=preprocessor), 4, tdp=dict(layers={'backbone': 1.0}))
    nets = measure(model, 9, 8)
    assert nets['T'].input_shape == (1, 3, 64, 32) and nets['S'].input_shape == (1, 3, 16, 8)


def test_without_s():
    model = SR4IR(None, ToyClassifier(), 4, 'L->T')
    assert list(measure(model, 8, 8)) == ['T']


def test_without_t():
    assert list(measure(SR4IR(Nearest(), None, 4, 'S'), 8, 8)) == ['S']
