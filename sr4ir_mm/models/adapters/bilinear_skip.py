"""An SR network that starts from the bilinear image."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...errors import SR4IRError
from ...registry import MODELS
from ...utils import check_number
from ..sr_net import build_net


@MODELS.register_module()
class BilinearSkip(nn.Module):
    """The sum of the bilinear image and what a network adds to it, which is nothing before its first update.

    The last layer of the network starts from zeros. The bilinear image has no aligned corners, so that it shows the
    same place as the HR image.

    Args:
        net (dict): Network that adds no mean and no image of its own. It receives the LR image less 0.5, and returns
            what is added to the enlarged image, or, with ``pixel_shuffle``, its pixels as channels.
        pixel_shuffle (int): Factor r by which the ``3 r ** 2`` channels of the network become the pixels of a larger
            image, see ``torch.nn.PixelShuffle``; 1 if the network enlarges. All its layers then work on LR pixels.

    Raises:
        SR4IRError: If the network's output is not zero with a last layer of zeros.

    Example:
        >>> net = dict(type='mmagic.EDSRNet', in_channels=3, out_channels=3, rgb_mean=[0.0, 0.0, 0.0])
        >>> sr = dict(type='sr4ir_mm.BilinearSkip', net=net)
    """

    def __init__(self, net: dict, pixel_shuffle: int = 1) -> None:
        super().__init__()
        check_number('BilinearSkip', low=1, whole=True, pixel_shuffle=pixel_shuffle)
        self.pixel_shuffle = pixel_shuffle
        # a name that no other network has: their files would fit, and mean something else
        self.residual = build_net(net)
        _start_from_zero(self.residual)

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge N x 3 x H x W to N x 3 x (scale H) x (scale W), [0, 1], RGB; the output is not clamped."""
        added = F.pixel_shuffle(self.residual(x - 0.5), self.pixel_shuffle)
        return F.interpolate(x, added.shape[-2:], mode='bilinear', align_corners=False) + added


@torch.no_grad()
def _start_from_zero(net: nn.Module) -> None:
    layers = [layer for layer in net.modules() if any(True for _ in layer.parameters(recurse=False))]
    for parameter in layers[-1].parameters():
        nn.init.zeros_(parameter)
    training = net.training
    if net.eval()(torch.full((1, 3, 32, 32), 0.5)).any():
        raise SR4IRError(
            f'BilinearSkip: {type(net).__name__} adds a mean or an image of its own to the output of its last layer '
            f'({type(layers[-1]).__name__}). Set its mean to 0 (EDSRNet: rgb_mean), or use it without BilinearSkip.'
        )
    net.train(training)
