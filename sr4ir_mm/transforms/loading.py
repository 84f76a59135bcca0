"""Transforms that read images."""

from mmcv.transforms import LoadImageFromFile as _LoadImageFromFile

from ..errors import SR4IRError
from ..registry import TRANSFORMS


@TRANSFORMS.register_module()
class CheckedLoadImageFromFile(_LoadImageFromFile):
    """mmcv's ``LoadImageFromFile`` whose errors name the file; arguments as in mmcv.

    mmcv passes on the errors of its decoders, which do not say which of the images is broken.

    Raises:
        SR4IRError: If the file is missing or cannot be decoded as an image.

    Example:
        >>> train_pipeline = [dict(type='sr4ir_mm.CheckedLoadImageFromFile'), dict(type='PackSegInputs')]
    """

    def transform(self, results: dict) -> dict | None:
        """Add ``img`` (H x W x 3, uint8, BGR) to the results, from their ``img_path``."""
        path = results['img_path']
        try:
            return super().transform(results)
        except FileNotFoundError as error:
            raise SR4IRError(f"Image '{path}' is missing: check data_prefix and the list of images.") from error
        except Exception as error:  # each decoder raises errors of its own, and none of them names the file
            raise SR4IRError(f"Image '{path}' cannot be decoded ({error}): replace or remove it.") from error
