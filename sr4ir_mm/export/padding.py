"""The padding of the task network's data preprocessor, as a function of tensors."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..models import PaddedDetDataPreprocessor, SRDataPreprocessor, quantize
from ..utils import pad_to_multiple


class Padding(nn.Module):
    """Padding at the right and the bottom as the data preprocessors of mmseg, mmdet and mmpretrain do it at test time.

    Args:
        preprocessor (SRDataPreprocessor): Data preprocessor of the model.
    """

    def __init__(self, preprocessor: SRDataPreprocessor) -> None:
        super().__init__()
        task = preprocessor.task_preprocessor
        test_cfg = getattr(task, 'test_cfg', None) or {}  # mmseg's
        self.size = test_cfg.get('size')
        self.divisor = test_cfg.get('size_divisor') or getattr(task, 'pad_size_divisor', None) or 1
        self.mode = 'reflect' if isinstance(task, PaddedDetDataPreprocessor) else 'constant'
        self.value = float(getattr(task, 'pad_value', getattr(task, 'pad_val', 0)))
        color = preprocessor.denormalize(torch.full((1, 3, 1, 1), self.value, device=preprocessor.device))
        self.register_buffer('color', quantize(color), persistent=False)  # of padding in an LR image

    def forward(self, inputs: Tensor) -> Tensor:
        """Pad normalized images, N x 3 x H x W."""
        if self.size:
            height, width = (max(size - side, 0) for size, side in zip(self.size, inputs.shape[-2:]))
            return F.pad(inputs, (0, width, 0, height), value=self.value)
        if self.divisor > 1:
            return pad_to_multiple(inputs, self.divisor, self.mode, self.value)
        return inputs

    def pad_lr(self, lr: Tensor, scale: int) -> Tensor:
        """Pad LR images, N x 3 x h x w in [0, 1], so that their SR images need no padding."""
        if not self._is_needed(scale):
            return lr
        if self._is_exact(scale):  # written so that a free size is known to be a multiple of the divisor
            sides = [
                (side * scale + self.divisor - 1) // self.divisor * (self.divisor // scale) for side in lr.shape[-2:]
            ]
        else:
            sides = [-(-side // scale) for side in self._sides(lr, scale)]
        height, width = (new - old for new, old in zip(sides, lr.shape[-2:]))
        return F.pad(lr - self.color, (0, width, 0, height)) + self.color

    def crop_sr(self, sr: Tensor, lr: Tensor, scale: int) -> Tensor:
        """Remove the pixels of SR images that are more than the padding of LR images ``lr`` needs."""
        if not self._is_needed(scale) or self._is_exact(scale):
            return sr
        height, width = self._sides(lr, scale)
        return sr[..., :height, :width]

    def _is_needed(self, scale: int) -> bool:
        return self.mode == 'constant' and bool(self.size or scale % self.divisor)

    def _is_exact(self, scale: int) -> bool:
        return not self.size and self.divisor % scale == 0

    def _sides(self, lr: Tensor, scale: int) -> list[int]:
        sides = [side * scale for side in lr.shape[-2:]]
        if self.size:
            return [max(pair) for pair in zip(sides, self.size)]
        return [(side + self.divisor - 1) // self.divisor * self.divisor for side in sides]
