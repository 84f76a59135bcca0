"""Reading images."""

from mmcv.transforms import LoadImageFromFile

from ..errors import SR4IRError
from ..registry import TRANSFORMS


@TRANSFORMS.register_module()
class CheckedLoadImageFromFile(LoadImageFromFile):
    """mmcv's transform of this name, which names the file when it cannot be read. Arguments as in mmcv.

    Raises:
        SR4IRError: If the file is missing or does not decode as an image.
    """

    def transform(self, results: dict) -> dict | None:
        """Add ``img``, H x W x 3, uint8, BGR."""
        path = results['img_path']
        try:
            return super().transform(results)
        except FileNotFoundError as error:
            raise SR4IRError(f"There is no image '{path}'; is data_prefix right?") from error
        except Exception as error:  # each decoder has its own errors, and none of them names the file
            raise SR4IRError(f"Image '{path}' cannot be decoded ({error}); replace or remove it.") from error
