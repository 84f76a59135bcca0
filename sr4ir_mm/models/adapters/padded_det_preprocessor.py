"""The paper's way to make one batch of images of different sizes."""

from collections.abc import Sequence

import torch.nn.functional as F
from mmdet.models import DetDataPreprocessor
from torch import Tensor

from ...registry import MODELS


@MODELS.register_module()
class PaddedDetDataPreprocessor(DetDataPreprocessor):
    """mmdet's data preprocessor that pads by reflection instead of zeros, as the paper's own code does.

    The SR network learns to restore the whole batch, in which zeros would make an artificial edge. The arguments are
    those of :class:`mmdet.models.DetDataPreprocessor`; ``pad_size_divisor`` is the scale of the SR network.

    Example:
        >>> data_preprocessor = dict(type='sr4ir_mm.PaddedDetDataPreprocessor', mean=[0.0] * 3, std=[255.0] * 3,
        ...                          bgr_to_rgb=True, pad_size_divisor=4)
    """

    def forward(self, data: dict, training: bool = False) -> dict:
        """Pad, then do the rest as mmdet does. ``img_shape`` of a sample stays the size without padding."""
        data = self.cast_data(data)
        data['inputs'] = pad_images(data['inputs'], self.pad_size_divisor)
        return super().forward(data, training)


def pad_images(images: Sequence[Tensor], divisor: int = 1) -> list[Tensor]:
    """Pad images at the right and the bottom to the largest height and width, rounded up to a multiple.

    Args:
        images (Sequence[Tensor]): Images, C x H x W, any type and range.
        divisor (int): Divisor of both sides of the result.

    Returns:
        list[Tensor]: Float images in the same range, padded by reflection. An image that is smaller than its padding
        repeats its edge instead.
    """
    height, width = (-(-max(image.shape[axis] for image in images) // divisor) * divisor for axis in (1, 2))
    return [_pad(image.float(), height - image.shape[1], width - image.shape[2]) for image in images]


def _pad(image: Tensor, bottom: int, right: int) -> Tensor:
    mode = 'reflect' if bottom < image.shape[1] and right < image.shape[2] else 'replicate'
    return F.pad(image, (0, right, 0, bottom), mode=mode)
