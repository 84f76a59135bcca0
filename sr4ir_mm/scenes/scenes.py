"""Scenes of an inferencer."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.structures import BaseDataElement
from tqdm import tqdm

from ..geo.raster import RasterScene
from ..inference.lr_predictor import LRPredictor
from ..models import SR4IR
from ..utils import unwrap
from ..utils.files import check_writable
from ..utils.locks import locked
from .axis import Axis
from .layers import class_layer, image_layer
from .options import SceneOptions, check_scene_options, makes_maps, overlap_of
from .pieces import Pieces
from .predictor import ScenePredictor
from .reading import SceneReader
from .results import SceneResults
from .scene import Scene


class Scenes:
    """How scenes are predicted.

    Args:
        model (SR4IR): Model, not wrapped, in eval mode.
        cfg (Config): Config of the run.
        options (SceneOptions): Options.
        pipeline (LRPredictor): The way from an LR image to a prediction.
        dataset_meta (dict): Names and colors of the classes.
        labels (Sequence[int], optional): Classes that are kept.
        tta (bool): Whether the task network predicts on several views.

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
        tta: bool,
    ) -> None:
        reason = check_scene_options(options, model, pipeline, tta)
        has_windows = not reason and pipeline.slices is None and options.window != 0
        self.read = SceneReader(cfg, options, pipeline.scale, pipeline.max_pixels, not reason, has_windows)
        self.model, self.options, self.dataset_meta, self.labels = model, options, dataset_meta, labels
        self.scale = pipeline.scale

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
        progress: bool,
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
            check_writable(folder / 'rows')
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
        has_objects = self.model.scheme.uses_task_net and not makes_maps(task)
        return ScenePredictor(predict, rows, columns, layers, has_objects, ratio, batch_size)

    def _axes(self, size: tuple[int, int], ratio: int) -> list[Axis]:
        window = self.read.window(size)
        overlap = overlap_of(window, self.options.overlap, self.scale) if window < max(size) else 0
        return [Axis(length, window, overlap, self.scale, ratio) for length in size]
