"""Which images are scenes, and with which windows."""

import math
from collections.abc import Sequence

import numpy as np
from mmengine.config import Config

from ..config.nodes import find_all
from ..errors import SR4IRError
from ..geo.raster import RasterScene, is_raster
from ..inference.images import read_image
from ..inference.limits import check_size
from ..inference.video import is_video
from ..transforms.raster import raster_options
from .axis import smallest_window
from .options import AUTO_PIXELS, SceneOptions, default_window
from .scene import ImageScene, Scene

#: suffixes of files for which bands and a stretch are options
_RASTERS = ('.tif', '.tiff', '.vrt', '.jp2', '.img')


class SceneReader:
    """Reads images, and opens the scenes among them.

    Args:
        cfg (Config): Config of the run.
        options (SceneOptions): Options.
        scale (int): SR pixels for each LR pixel.
        max_pixels (int): Largest number of LR pixels of an image that is no raster.
        has_scenes (bool): Whether the task network predicts scenes.
        has_windows (bool): Whether scenes have windows.
    """

    def __init__(
        self, cfg: Config, options: SceneOptions, scale: int, max_pixels: int, has_scenes: bool, has_windows: bool
    ) -> None:
        self.options, self.scale, self.max_pixels = options, scale, max_pixels
        self.has_scenes, self.has_windows = has_scenes, has_windows
        self.default = default_window(cfg, scale)
        self.trained = raster_options(next(find_all(cfg.test_dataloader, 'pipeline')))
        self.given = {name: getattr(options, name) for name in ('bands', 'stretch') if name in options.given}

    def check(self, images: Sequence[str | np.ndarray]) -> None:
        """Check that options have an effect on images.

        Raises:
            SR4IRError: If not.
        """
        if images and self.options.given and all(map(is_video, images)):
            name = self.options.given[0]
            raise SR4IRError(f'{name} (--{name.replace("_", "-")}) is for images, and all of these are videos.')
        if self.given and not self.trained and not any(map(self._may_be_raster, images)):
            raise SR4IRError(
                f'{next(iter(self.given))} is for rasters ({", ".join(_RASTERS)}), and none is among the images: leave '
                'it out.'
            )

    def __call__(self, image: str | np.ndarray, max_pixels: float = math.inf) -> np.ndarray | Scene:
        """Read an image, or open the scene that it is.

        Args:
            image (str or np.ndarray): See :func:`read_image`.
            max_pixels (float): Largest number of pixels of an image that is predicted as a whole.

        Raises:
            SR4IRError: If it cannot be read. The message continues the name of the image, which it does not hold.
        """
        if self.trained and not isinstance(image, str):
            raise SR4IRError('is no file, but the test pipeline reads rasters (LoadRaster): name the file')
        if self.trained or (self.given and self._may_be_raster(image)):
            return self._read_raster(image, max_pixels)
        if self.has_scenes and isinstance(image, str) and is_raster(image):
            return self._read_raster(image, max_pixels)
        if not self.has_windows:
            return read_image(image, max_pixels)
        array = read_image(image, max(self.max_pixels, max_pixels))
        if not self._is_whole(array.shape[:2]):
            return ImageScene(array, image if isinstance(image, str) else '')
        check_size(array.shape[1], array.shape[0], max_pixels)
        return array

    def window(self, size: tuple[int, int]) -> int:
        """Return the side of windows in LR pixels for a scene of a height and a width; the larger of them for one."""
        is_large = size[0] * size[1] * self.scale**2 > AUTO_PIXELS
        asked = self.default if self.options.window is None and is_large else self.options.window
        return (asked if self.has_windows else 0) or max(*size, smallest_window(self.scale))

    def _read_raster(self, path: str, max_pixels: float) -> np.ndarray | Scene:
        try:
            scene = RasterScene(path, **{**self.trained, **self.given})
        except SR4IRError as error:
            raise SR4IRError(str(error).removeprefix(f"'{path}' ")) from error
        height, width = scene.size
        if self._is_whole(scene.size):
            check_size(width, height, max_pixels)
        if self.has_scenes:
            return scene
        with scene:
            image, _ = scene.read((0, 0, width, height))
        if scene.broken:
            raise SR4IRError(f'is broken at {scene.broken[0][0]} ({scene.broken[0][1]}): replace it')
        return image

    def _is_whole(self, size: tuple[int, int]) -> bool:
        return self.window(size) >= max(size)

    def _may_be_raster(self, image: str | np.ndarray) -> bool:
        return isinstance(image, str) and image.lower().endswith(_RASTERS)
