"""Networks of timm whose convolutions pad as TensorFlow does are exported for all sizes."""

from itertools import pairwise, product

import pytest
import torch
from helpers.torch_version import needs_export
from helpers.toy import EDSR
from helpers.zoo import net_config
from torch import Tensor, nn

from sr4ir_mm.compat.torch_export import _same_padding
from sr4ir_mm.export.exporter import export
from sr4ir_mm.models import SR4IR

layers = pytest.importorskip('timm.layers')


def test_the_padding_is_that_of_timm():
    for numbers in product(range(1, 40), (1, 2, 3, 5), (1, 2, 3, 4), (1, 2)):
        assert _same_padding(*numbers) == layers.padding.get_same_padding(*numbers), numbers


class SameBackbone(nn.Module):
    """Four layers of stride 2, after which every size was odd once."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 8, 8, 8, 64)
        self.layers = nn.Sequential(
            *(layers.Conv2dSame(before, after, kernel_size=(3, 5)[i % 2], stride=2) for i, (before, after) in
              enumerate(pairwise(widths)))
        )  # fmt: skip

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (self.layers(x),)


@needs_export
@torch.no_grad()
def test_all_sizes(tmp_path):
    """The export did not end; a division toward zero in ONNX moved the borders of odd sizes."""
    onnxruntime = pytest.importorskip('onnxruntime')
    pytest.importorskip('onnxscript')
    head = {'head.in_channels': 64, 'head.num_classes': 10}
    model = SR4IR(EDSR, net_config('resnet18', **head), 4, 'S+T').eval()
    model.task.backbone = SameBackbone()
    (path,) = export(model, tmp_path / 'model.onnx')
    session = onnxruntime.InferenceSession(path)
    for height, width in (9, 14), (33, 21):
        lr = torch.rand(1, 3, height, width)
        logits = torch.from_numpy(session.run(['logits'], dict(image=lr.numpy()))[0])
        assert (logits - model(lr)).abs().max() < 1e-5
