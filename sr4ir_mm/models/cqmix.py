"""Cross-quality patch mix."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..registry import MODELS, TRANSFORMS


@MODELS.register_module()
@TRANSFORMS.register_module()
class CQMix(nn.Module):
    """Mix SR and HR patches of each image at random (SR4IR, section 3.3). Batch level, on the images' device.

    Args:
        grid (int): Cells per side: 8 for segmentation and detection, 4 for classification.
        prob (float): Probability of a cell to show SR.
    """

    def __init__(self, grid: int = 8, prob: float = 0.5) -> None:
        super().__init__()
        self.grid = grid
        self.prob = prob

    def forward(self, sr: Tensor, hr: Tensor, grid_mask: Tensor | None = None) -> Tensor:
        """Mix a batch.

        Args:
            sr (Tensor): N x C x H x W.
            hr (Tensor): Same shape.
            grid_mask (Tensor, optional): N x 1 x grid x grid of 0 and 1; drawn for each image when None. It is
                enlarged by nearest neighbor to H x W.

        Returns:
            Tensor: N x C x H x W, SR where the mask is 1 and HR where it is 0.
        """
        if grid_mask is None:
            grid_mask = torch.empty(len(sr), 1, self.grid, self.grid, device=sr.device).bernoulli_(self.prob)
        mask = F.interpolate(grid_mask.to(hr.dtype), size=hr.shape[-2:], mode='nearest')
        return torch.where(mask > 0.5, sr, hr)
