"""SR networks of mmagic that take more than RGB images in [0, 1]."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ...registry import MODELS
from ...utils import check_number, check_positive
from ..sr_net import build_net


@MODELS.register_module()
class ImageToImage(nn.Module):
    """An SR network whose images are normalized.

    Args:
        generator (dict): Network. It keeps the name that it has in mmagic's models, so that their checkpoints load.
        mean (Sequence[float]): Mean of the three channels, for images in [0, 1], RGB.
        std (Sequence[float]): Standard deviation; the network takes and returns ``(image - mean) / std``.

    Example:
        >>> sr = dict(type='sr4ir_mm.ImageToImage', mean=[0.5] * 3, std=[0.5] * 3, generator=dict(type='mmagic...'))
    """

    def __init__(self, generator: dict, mean: Sequence[float] = (0, 0, 0), std: Sequence[float] = (1, 1, 1)) -> None:
        super().__init__()
        for middle, spread in zip(mean, std):
            check_number('ImageToImage', mean=middle)
            check_positive('ImageToImage', std=spread)
        self.generator = build_net(generator)
        self.register_buffer('mean', torch.tensor(mean).view(-1, 1, 1), persistent=False)
        self.register_buffer('std', torch.tensor(std).view(-1, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge N x 3 x H x W to N x 3 x (scale H) x (scale W), [0, 1], RGB; the output is not clamped."""
        return self._run((x - self.mean) / self.std) * self.std + self.mean

    def _run(self, x: Tensor) -> Tensor:
        return self.generator(x)


@MODELS.register_module()
class LIIFUpsampler(ImageToImage):
    """An ``LIIF*Net`` of mmagic that computes every pixel of the enlarged image.

    Without gradient it computes ``eval_bsize`` pixels at a time. (mmagic's ``LIIF`` is a whole model.)

    Args:
        scale (int): Up-sampling factor; the same weights serve any.
        **kwargs: Arguments of :class:`ImageToImage`.
    """

    def __init__(self, scale: int, **kwargs) -> None:
        super().__init__(**kwargs)
        check_number('LIIFUpsampler', low=1, whole=True, scale=scale)
        self.scale = scale

    def _run(self, x: Tensor) -> Tensor:
        size = [side * self.scale for side in x.shape[-2:]]
        # centers of the pixels in [-1, 1]: rows, then columns; rounded as in mmagic, as some lie close to edges
        coord = torch.cartesian_prod(*(-1 + 1 / side + 2 / side * torch.arange(side, device=x.device) for side in size))
        cell = torch.tensor([2 / side for side in size], device=x.device).expand_as(coord)
        grids = (grid.to(x).expand(len(x), -1, -1) for grid in (coord, cell))
        pixels = self.generator(x, *grids, test_mode=not torch.is_grad_enabled())
        return pixels.transpose(1, 2).unflatten(2, size)
