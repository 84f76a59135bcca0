"""Windows of a scene through both networks."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice, product

import numpy as np
from mmengine.logging import print_log
from mmengine.structures import BaseDataElement

from ..inference.overlap import thread
from .axis import Axis
from .layers import Layer
from .objects import window_objects
from .pieces import Pieces
from .scene import Scene, Window

#: row and column of a window
Place = tuple[int, int]
#: a window's place, its image, and which of its pixels hold data
Part = tuple[Place, np.ndarray, np.ndarray]


@dataclass
class ScenePredictor:
    """The way from a scene to rows of results on disk, in memory that depends on the size of a window alone.

    Args:
        predict (Callable): Function that predicts images, dicts with ``img`` and ``img_path``, of any sizes.
        rows (Axis): Windows from top to bottom.
        columns (Axis): Windows from left to right.
        layers (Sequence[Layer]): Results with a value for each pixel.
        has_objects (bool): Whether the task network predicts objects.
        ratio (int): Pixels of the coordinates of objects for each LR pixel.
        batch_size (int): Number of windows that are predicted together.
    """

    predict: Callable[[list[dict]], list[BaseDataElement]]
    rows: Axis
    columns: Axis
    layers: Sequence[Layer]
    has_objects: bool
    ratio: int
    batch_size: int

    def run(self, scene: Scene, path: str, pieces: Pieces, progress: Callable[[int], object]) -> None:
        """Predict the rows of windows that are not complete yet.

        Args:
            scene (Scene): Scene.
            path (str): Its name.
            pieces (Pieces): Where rows are written.
            progress (Callable): Function that is called with the number of windows of each row that is complete.
        """
        count = len(self.rows.windows)
        first = next((row for row in range(count) if not pieces.is_complete(row)), count)
        scene.broken += [(tuple(window), reason) for window, reason in pieces.found('broken', first)]
        progress(first * len(self.columns.windows))
        predictions = self._predictions(scene, path, first)
        for row in range(first, count):
            objects: list[dict] = []
            known = len(scene.broken)
            with ExitStack() as stack:
                files = [stack.enter_context(pieces.writing(layer.name, row)) for layer in self.layers]
                for place, valid, sample in islice(predictions, len(self.columns.windows)):
                    for layer, file in zip(self.layers, files):
                        layer.add(pieces, file, place, sample, valid)
                    if sample is not None and self.has_objects:
                        objects += window_objects(sample.pred_instances, place, self.window(place), self.ratio, valid)
            pieces.complete(row, objects=objects, broken=scene.broken[known:])
            pieces.drop(row - 1)
            progress(len(self.columns.windows))

    def window(self, place: Place) -> Window:
        """Return a window in LR pixels."""
        (top, bottom), (left, right) = self.rows.windows[place[0]], self.columns.windows[place[1]]
        return left, top, right, bottom

    def _predictions(
        self, scene: Scene, path: str, first: int
    ) -> Iterator[tuple[Place, np.ndarray, BaseDataElement | None]]:
        """Yield the place, the pixels with data and the prediction of each window; None if it has no data."""
        told = False
        for batch in self._read_ahead(scene, first):
            items = [dict(img=image, img_path=path, img_id=0) for _, image, valid in batch if valid.any()]
            samples = iter(self.predict(items) if items else ())
            for place, _, valid in batch:
                sample = next(samples) if valid.any() else None
                told = told or (sample is not None and self._tell_size(place, sample))
                yield place, valid, sample

    def _tell_size(self, place: Place, sample: BaseDataElement) -> bool:
        """Log if the task network receives a window in another size; return True."""
        left, top, right, bottom = (side * self.rows.scale for side in self.window(place))
        height, width = sample.metainfo.get('img_shape', (bottom - top, right - left))[:2]
        if (height, width) != (bottom - top, right - left):
            text = f'The test pipeline makes {width} x {height} px of windows of {right - left} x {bottom - top} SR px'
            print_log(f'{text}: this should be as with images in training, see docs/scenes.md', 'current')
        return True

    def _read_ahead(self, scene: Scene, first: int) -> Iterator[list[Part]]:
        """Read batches of windows from a row on, each while the one before is predicted."""
        places = product(range(first, len(self.rows.windows)), range(len(self.columns.windows)))

        def read(batch: Sequence[Place]) -> list[Part]:
            return [(place, *scene.read(self.window(place))) for place in batch]

        with thread('reads') as pool:
            waiting = pool.submit(read, list(islice(places, self.batch_size)))
            while batch := waiting.result():
                waiting = pool.submit(read, list(islice(places, self.batch_size)))
                yield batch
