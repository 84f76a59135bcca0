"""How large the features of task networks are, and the TDP losses of one change of the image."""

import torch

from sr4ir_mm.models import FeatureRecorder, TDPLoss
from sr4ir_mm.models.tdp_layers import default_layers

from . import zoo

NETS = ('deeplabv3', 'resnet18', 'retinanet', 'segformer', 'yolox')


@torch.no_grad()
def tdp_sizes() -> dict[str, dict[str, float]]:
    """Mean |feature|, plain and relative TDP loss of untrained zoo models, for the same noise on the same image."""
    noise = torch.Generator().manual_seed(0)
    image = torch.nn.functional.interpolate(torch.rand(1, 3, 16, 16, generator=noise), size=(128, 128)) * 4 - 2
    changed = image + 0.2 * torch.randn(image.shape, generator=noise)
    found = {}
    for name in NETS:
        torch.manual_seed(0)
        task = zoo.bare_net(zoo.net_config(name)).eval()
        layers = default_layers(task)
        recorder = FeatureRecorder(task, layers)
        hr, sr = recorder(image), recorder(changed)
        found[name] = dict(
            feature=float(sum(layers[key] * feature.abs().mean() for key, feature in hr.items())),
            plain=float(TDPLoss(layers)(sr, hr)),
            relative=float(TDPLoss(layers, relative=True)(sr, hr)),
        )
    return found
