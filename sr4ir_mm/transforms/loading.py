"""Transforms that read images."""

from mmcv.transforms import LoadImageFromFile as _LoadImageFromFile

from ..registry import TRANSFORMS
from .checked_steps import read_image


@TRANSFORMS.register_module()
class CheckedLoadImageFromFile(_LoadImageFromFile):
    """mmcv's ``LoadImageFromFile`` whose errors name the file; arguments as in mmcv.

    mmcv passes on the errors of its decoders, which do not say which of the images is broken.

    Raises:
        SR4IRError: If the file is missing, cannot be decoded as an image, or is of 10 or 12 bits or of floats.

    Example:
        >>> train_pipeline = [dict(type='sr4ir_mm.CheckedLoadImageFromFile'), dict(type='PackSegInputs')]
    """

    def transform(self, results: dict) -> dict | None:
        """Add ``img`` (H x W x 3, uint8, BGR) to the results, from their ``img_path``."""
        return read_image(results['img_path'], super().transform, results)
