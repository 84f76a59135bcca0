"""Cross-quality patch mix."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..registry import MODELS, TRANSFORMS
from ..utils import check_number


@MODELS.register_module()
@TRANSFORMS.register_module()
class CQMix(nn.Module):
    """Random mix of SR and HR patches of each image (SR4IR, section 3.3), for a batch on the images' device.

    Args:
        grid (int): Cells per side: 8 for segmentation and detection, 4 for classification.
        prob (float): Probability that a cell shows SR, 0 to 1.

    Raises:
        SR4IRError: If a number is out of range.

    Example:
        >>> mix = CQMix(grid=8)(sr, hr)  # N x 3 x H x W, like both
    """

    def __init__(self, grid: int = 8, prob: float = 0.5) -> None:
        super().__init__()
        check_number('CQMix', low=1, whole=True, grid=grid)
        check_number('CQMix', low=0, high=1, prob=prob)
        self.grid = grid
        self.prob = prob

    def forward(self, sr: Tensor, hr: Tensor, grid_mask: Tensor | None = None) -> Tensor:
        """Mix a batch.

        Args:
            sr (Tensor): SR images, N x C x H x W.
            hr (Tensor): HR images, same shape.
            grid_mask (Tensor, optional): Mask of 0 and 1, N x 1 x grid x grid, which is enlarged to H x W by nearest
                neighbor. By default a new one is drawn for each image.

        Returns:
            Tensor: N x C x H x W, SR where the mask is 1 and HR where it is 0.
        """
        if grid_mask is None:
            grid_mask = torch.empty(len(sr), 1, self.grid, self.grid, device=sr.device).bernoulli_(self.prob)
        mask = F.interpolate(grid_mask.to(hr.dtype), size=hr.shape[-2:], mode='nearest')
        return torch.where(mask > 0.5, sr, hr)
