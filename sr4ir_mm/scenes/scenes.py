"""Scenes among the images of an inferencer."""

import math
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.structures import BaseDataElement
from tqdm import tqdm

from ..config.nodes import find_all
from ..errors import SR4IRError
from ..geo.raster import RasterScene, is_raster
from ..inference.images import read_image
from ..inference.limits import check_size
from ..inference.lr_predictor import LRPredictor
from ..models import SR4IR
from ..transforms.raster import raster_options
from ..utils import unwrap
from ..utils.locks import locked
from .axis import Axis, smallest_window
from .layers import class_layer, image_layer
from .options import AUTO_PIXELS, SceneOptions, check_scene_options, default_window, makes_maps
from .pieces import Pieces
from .predictor import ScenePredictor
from .results import SceneResults
from .scene import ImageScene, Scene


class Scenes:
    """Which images are scenes, and how they are predicted.

    Args:
        model (SR4IR): Model, not wrapped, in eval mode.
        cfg (Config): Config of the run.
        options (SceneOptions): Options.
        pipeline (LRPredictor): The way from an LR image to a prediction.
        dataset_meta (dict): Names and colors of the classes.
        labels (Sequence[int], optional): Classes that are kept.

    Raises:
        SR4IRError: If the options are wrong, or have no effect.
    """

    def __init__(
        self,
        model: SR4IR,
        cfg: Config,
        options: SceneOptions,
        pipeline: LRPredictor,
        dataset_meta: dict,
        labels: Sequence[int] | None,
    ) -> None:
        sliced = pipeline.slices is not None
        self.reason = check_scene_options(options, model, sliced)
        self.is_off = bool(self.reason) or sliced or options.window == 0
        self.model, self.options, self.dataset_meta, self.labels = model, options, dataset_meta, labels
        self.scale, self.max_pixels = pipeline.scale, pipeline.max_pixels
        self.default = default_window(cfg, self.scale)
        self.raster = raster_options(next(find_all(cfg.test_dataloader, 'pipeline')))
        self.raster |= {key: value for key in ('bands', 'stretch') if (value := getattr(options, key)) is not None}

    def read(self, image: str | np.ndarray, max_pixels: float = math.inf) -> np.ndarray | Scene:
        """Read an image, or open the scene that it is.

        Args:
            image (str or np.ndarray): See :func:`read_image`.
            max_pixels (float): Largest number of pixels of an image that is no scene.

        Raises:
            SR4IRError: If it cannot be read. The message continues the name of the image, which it does not hold.
        """
        if isinstance(image, str) and not self.reason and (self.raster or is_raster(image)):
            try:
                return RasterScene(image, **self.raster)
            except SR4IRError as error:
                raise SR4IRError(str(error).removeprefix(f"'{image}' ")) from error
        if self.is_off:
            return read_image(image, max_pixels)
        array = read_image(image, max(self.max_pixels, max_pixels))
        if max(array.shape[:2]) > self.window(array.shape[:2]):
            return ImageScene(array, image if isinstance(image, str) else '')
        check_size(array.shape[1], array.shape[0], max_pixels)
        return array

    def window(self, size: tuple[int, int]) -> int:
        """Return the side of windows in LR pixels for a scene of a height and a width; the larger of them for one."""
        is_large = size[0] * size[1] * self.scale**2 > AUTO_PIXELS
        asked = self.default if self.options.window is None and is_large and not self.is_off else self.options.window
        return asked or max(*size, smallest_window(self.scale))

    @contextmanager
    def results(
        self,
        scene: Scene,
        path: str,
        stem: Path | None,
        coords: str,
        batch_size: int,
        predict: Callable[[list[dict]], list[BaseDataElement]],
        run: dict,
        progress: bool = False,
    ) -> Iterator[SceneResults]:
        """Predict a scene; at the end of the context its rows of results are deleted.

        Args:
            scene (Scene): Scene.
            path (str): Its name.
            stem (Path, optional): Path without suffix next to which rows are kept while the scene is not complete, so
                that the same run continues after a stop. By default in a temporary folder.
            coords (str): Coordinates of predictions, 'lr' or 'sr'.
            batch_size (int): Number of windows that are predicted together.
            predict (Callable): Function that predicts images.
            run (dict): Plain data that says what predicts; it changes whenever predictions may.
            progress (bool): Whether to show a progress bar.
        """
        ratio = 1 if coords == 'lr' else self.scale
        predictor = self._predictor(scene, ratio, batch_size, predict)
        identity = dict(scene=scene.identity, run=run, ratio=ratio, save_sr=self.options.save_sr)
        identity |= dict(window=predictor.rows.window, overlap=predictor.rows.overlap)
        with ExitStack() as stack:
            folder = stem and stem.with_name(f'.{stem.name}.pieces')
            folder = folder or Path(stack.enter_context(TemporaryDirectory())) / 'pieces'
            stack.enter_context(locked(folder))
            pieces = Pieces(folder / 'rows', identity)
            count = len(predictor.rows.windows) * len(predictor.columns.windows)
            bar = stack.enter_context(tqdm(total=count, desc='Windows', leave=False, disable=not progress))
            predictor.run(scene, path, pieces, bar.update)
            yield SceneResults(scene, path, predictor, pieces, self.dataset_meta)
            shutil.rmtree(folder)

    def _predictor(self, scene: Scene, ratio: int, batch_size: int, predict: Callable) -> ScenePredictor:
        rows, columns = self._axes(scene.size, ratio)
        count = len(rows.windows) * len(columns.windows)
        if count > 1:
            size = f'{columns.length} x {rows.length} px in {count:,} windows of {rows.window} px'
            print_log(f'{size} ({rows.window * self.scale} SR px), with {rows.overlap} px in common', 'current')
        layers = []
        task = unwrap(self.model.task)
        if self.model.scheme.uses_task_net and makes_maps(task):
            threshold = getattr(getattr(task, 'decode_head', None), 'threshold', 0.5)
            classes = len(self.dataset_meta.get('classes') or range(2**15))
            layers = [class_layer(rows, columns, classes, threshold, self.labels)]
        if self.options.save_sr or not self.model.scheme.uses_task_net:
            layers.append(image_layer(*self._axes(scene.size, self.scale), int(isinstance(scene, RasterScene))))
        return ScenePredictor(predict, rows, columns, layers, ratio, batch_size)

    def _axes(self, size: tuple[int, int], ratio: int) -> list[Axis]:
        window = self.window(size)
        overlap = window // 4 if self.options.overlap is None or window >= max(size) else self.options.overlap
        return [Axis(length, window, overlap, self.scale, ratio) for length in size]
