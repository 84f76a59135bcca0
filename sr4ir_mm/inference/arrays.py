"""Images in memory: of Pillow, PyTorch and NumPy."""

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from ..errors import SR4IRError


def to_arrays(image: np.ndarray | Tensor | Image.Image) -> list[np.ndarray]:
    """Convert images to arrays as OpenCV reads them.

    Args:
        image (np.ndarray, Tensor or PIL.Image.Image): Array, which stays as it is; tensor, 3 x h x w or N x 3 x h x w,
            RGB, float in [0, 1] or uint8; or image of Pillow, which is turned by its EXIF orientation.

    Returns:
        list[np.ndarray]: One array, or one for each image of a batch; those of tensors and of Pillow are h x w x 3,
        BGR, or h x w, gray.

    Raises:
        SR4IRError: If a tensor has another shape or range.
    """
    if isinstance(image, np.ndarray):
        return [image]
    if isinstance(image, Image.Image):
        image = ImageOps.exif_transpose(image)
        # the range of 16 bits, 32 bits and floats is decided where arrays are read
        return [np.array(image) if image.mode[0] in 'IF' else np.array(image.convert('RGB'))[..., ::-1]]
    return [_from_tensor(entry) for entry in (image if image.ndim == 4 else image[None])]


def _from_tensor(image: Tensor) -> np.ndarray:
    image = image.detach().cpu()
    known = image.ndim == 3 and image.shape[0] in (1, 3) and (image.dtype == torch.uint8 or image.is_floating_point())
    if not known:
        raise SR4IRError(
            f'A tensor is {image.dtype} of shape {tuple(image.shape)}, but an image is 3 x h x w, float in [0, 1] or '
            'uint8: convert it.'
        )
    if image.is_floating_point():
        if not (image.min() >= 0 and image.max() <= 1):  # also if it is not a number
            raise SR4IRError(
                f'A tensor of floats has values of {image.min():.4g} to {image.max():.4g}, but an image has 0 to 1: '
                'divide it by 255, or convert it to uint8.'
            )
        image = image.float().mul(255).round().byte()
    return image.expand(3, -1, -1).permute(1, 2, 0).flip(-1).numpy()
