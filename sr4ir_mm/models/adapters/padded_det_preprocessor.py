"""The paper's way to make images of different sizes one batch."""

from collections.abc import Sequence

import torch.nn.functional as F
from mmdet.models import DetDataPreprocessor
from torch import Tensor

from ...registry import MODELS


@MODELS.register_module()
class PaddedDetDataPreprocessor(DetDataPreprocessor):
    """mmdet's preprocessor, which pads images with themselves instead of zeros, as the paper's own code does.

    S sees, and learns to restore, the whole batch; an edge to zeros would be in it. Arguments as in
    :class:`mmdet.models.DetDataPreprocessor`; ``pad_size_divisor`` is the scale of S.
    """

    def forward(self, data: dict, training: bool = False) -> dict:
        """Pad, then do all else as mmdet. ``img_shape`` of a sample stays the size without padding."""
        data = self.cast_data(data)
        data['inputs'] = pad_images(data['inputs'], self.pad_size_divisor)
        return super().forward(data, training)


def pad_images(images: Sequence[Tensor], divisor: int = 1) -> list[Tensor]:
    """Pad images at the right and the bottom to one size, the largest there is, rounded up to a multiple.

    Args:
        images (Sequence[Tensor]): C x H x W, any type and range.
        divisor (int): What divides both sides of the result.

    Returns:
        list[Tensor]: Float, same range; padded by reflection, except for images that are smaller than their padding,
        where the edge is repeated.
    """
    height, width = (-(-max(image.shape[axis] for image in images) // divisor) * divisor for axis in (1, 2))
    return [_pad(image.float(), height - image.shape[1], width - image.shape[2]) for image in images]


def _pad(image: Tensor, bottom: int, right: int) -> Tensor:
    mode = 'reflect' if bottom < image.shape[1] and right < image.shape[2] else 'replicate'
    return F.pad(image, (0, right, 0, bottom), mode=mode)
