"""What S and T cost."""

from collections import Counter
from dataclasses import dataclass

import torch
from mmengine.analysis import FlopAnalyzer, parameter_count
from mmengine.structures import BaseDataElement
from torch import Tensor, nn

from ..models import SR4IR
from ..models.feature_recorder import tensors


@dataclass(frozen=True)
class Complexity:
    """Of one net, for one image.

    Args:
        input_shape (tuple[int, ...]): N x C x H x W.
        params (int): All of them, whether they learn or not.
        flops (int): A multiplication with an addition is one.
        uncounted (Counter[str]): How often the net calls operators that are not in ``flops``.
        idle (list[str]): Parts with parameters that are not called: heads for training only, or layers whose weights
            another part uses.
    """

    input_shape: tuple[int, ...]
    params: int
    flops: int
    uncounted: Counter[str]
    idle: list[str]


class _Tensors(nn.Module):
    """T with its data samples at hand, and only tensors as its output: that is what PyTorch can trace."""

    def __init__(self, net: nn.Module, samples: list) -> None:
        super().__init__()
        self.net = net
        self.samples = samples

    def forward(self, image: Tensor) -> list[Tensor]:
        return list(tensors(self.net(image, self.samples, mode='tensor')).values())


def measure(model: SR4IR, height: int, width: int) -> dict[str, Complexity]:
    """Run S and T once, by themselves.

    Args:
        model (SR4IR): The nets.
        height (int): Of the LR image. T sees one ``scale`` times as large, padded as its preprocessor pads.
        width (int): Of the LR image.

    Returns:
        dict[str, Complexity]: 'S', if there is one, and 'T'.
    """
    model.eval()
    size = (height * model.scale, width * model.scale)
    meta = dict(img_shape=size, ori_shape=size, pad_shape=size, batch_input_shape=size, scale_factor=(1.0, 1.0))
    image = torch.randint(0, 256, (3, *size), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    batch = model.data_preprocessor(dict(inputs=[image], data_samples=[BaseDataElement(metainfo=meta)]))
    images, task = batch['inputs'], _Tensors(model.task, batch['data_samples'])
    nets = dict(S=(model.sr, images['lr']), T=(task, images['hr_inputs']))
    return {name: _measure(net, image) for name, (net, image) in nets.items() if net is not None}


def _measure(net: nn.Module, image: Tensor) -> Complexity:
    analyzer = FlopAnalyzer(net, (image,))
    analyzer.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings('none')
    idle: list[str] = []
    for name in sorted(analyzer.uncalled_modules()):
        holds = any(True for _ in net.get_submodule(name).parameters())
        if holds and not any(name.startswith(f'{other}.') for other in idle):
            idle.append(name)
    return Complexity(
        tuple(image.shape),
        parameter_count(net)[''],
        int(analyzer.total()),
        analyzer.unsupported_ops(),
        [name.removeprefix('net.') for name in idle],
    )
