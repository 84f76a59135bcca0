"""What all degradations share: sizes, range and rounding of the LR image."""

import torch
from torch import Tensor, nn

from ...utils import check_number, full_precision, pad_to_multiple


def quantize(x: Tensor) -> Tensor:
    """Round an image in [0, 1] to 8 bits: ``clamp(round(255 x), 0, 255) / 255``, half to even, same dtype and shape."""
    return (x * 255).round().clamp(0, 255) / 255


class Degradation(nn.Module):
    """A module ``hr -> lr``; a subclass defines :meth:`degrade`.

    Args:
        scale (int): Down-sampling factor, at least 1; 1 keeps the size.

    Raises:
        SR4IRError: If ``scale`` is no whole number, or less than 1.
    """

    def __init__(self, scale: int) -> None:
        super().__init__()
        check_number(type(self).__name__, low=1, whole=True, scale=scale)
        self.scale = scale

    @torch.no_grad()
    def forward(self, hr: Tensor) -> Tensor:
        """Degrade a batch.

        Args:
            hr (Tensor): HR images, N x 3 x H x W, float, [0, 1].

        Returns:
            Tensor: N x 3 x ceil(H/scale) x ceil(W/scale), [0, 1] in steps of 1/255. Sides that ``scale`` does not
            divide are first padded at the right and bottom by replication of the edge.
        """
        with full_precision(hr.device):  # a blur in 16 bits would change the 8-bit levels
            return quantize(self.degrade(pad_to_multiple(hr, self.scale)))

    def degrade(self, hr: Tensor) -> Tensor:
        """Make LR images of HR images whose sides are multiples of ``scale``; the result may leave [0, 1]."""
        raise NotImplementedError
