"""Pictures that a training leaves in its work dir: curves, panels of validation images, the confusion matrix."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ..datasets.class_names import first_meta
from ..engine.evaluations import best_metrics
from ..engine.seeding import own_random_numbers
from ..engine.visualization_hook import draw_panels
from ..utils import new_file, write_image
from .confusion import ConfusionMatrix
from .scalars import read_curves
from .training_figure import training_figure

FOLDER = 'plots'
PANELS = 4  # validation images on the page
#: share of the time of a training that pictures may take; the last validation has them in any case
SHARE = 0.02


class TrainingPicturesHook(Hook):
    """A hook that writes the pictures of a training to the folder ``plots`` of its work dir.

    ========================  ==================================================================================
    ``curves.png``            losses of each network, metric of the task network, PSNR; over all starts of the training
    ``panels.png``            four images of the validation, as :class:`SRVisualizationHook` draws them
    ``confusion_matrix.png``  of classifiers (images) and segmentors (pixels)
    ========================  ==================================================================================

    They are written in a validation, so that a training that is killed has those of an earlier one, as long as they
    take 2% of the time, and in any case in the last one. In a distributed training the images are those of the first
    process. The training itself is the same without them: they draw no random numbers, and if a picture cannot be
    drawn, this is logged, and the training goes on.

    Example:
        >>> runner.register_hook(TrainingPicturesHook())
    """

    priority = 'VERY_LOW'  # after the values of the validation have been logged

    def __init__(self) -> None:
        self.written: list[str] = []

    def before_train(self, runner: Runner) -> None:
        """Start the clock."""
        self.start, self.spent, self.is_active = time.perf_counter(), 0.0, False
        self.folder = Path(runner.work_dir) / FOLDER

    def before_val_epoch(self, runner: Runner) -> None:
        """Decide whether this validation has pictures, and of which images."""
        is_last = runner.train_loop.iter >= runner.max_iters
        is_cheap = self.spent <= SHARE * (time.perf_counter() - self.start)
        self.is_active = is_main_process() and (is_last or is_cheap)
        self.panels: list[np.ndarray] = []
        batches = len(runner.val_dataloader)
        self.every, self.of_a_batch = max(1, batches // PANELS), math.ceil(PANELS / batches)
        self.meta = first_meta(getattr(runner.val_dataloader.dataset, 'metainfo', None) or {})
        self.matrix = ConfusionMatrix(self.meta.get('classes') or ())

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None, outputs: list | None = None
    ) -> None:
        """Count the predictions of a batch, and draw images of it if it is among the chosen ones."""
        if not self.is_active or not outputs:
            return
        with self._protected(runner, 'confusion_matrix.png'):
            self.matrix.add(outputs)
        if batch_idx % self.every == 0 and len(self.panels) < PANELS:
            with self._protected(runner, 'panels.png'), own_random_numbers(0):
                self.panels += draw_panels(runner, list(outputs[: self.of_a_batch]), self.meta)

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Write the pictures of a validation."""
        if self.is_active:
            self._write(runner, 'panels.png', self._save_panels)
            self._write(runner, 'confusion_matrix.png', self._save_matrix)
            self._write(runner, 'curves.png', lambda path: self._save_curves(runner, path))
            self.is_active = False

    def after_train(self, runner: Runner) -> None:
        """Write the curves of a training without validation, and say where the pictures are."""
        if is_main_process() and 'curves.png' not in self.written:
            self._write(runner, 'curves.png', lambda path: self._save_curves(runner, path))
        if self.written:
            runner.logger.info(f'Pictures in {self.folder}: {", ".join(self.written)}')

    def _write(self, runner: Runner, name: str, save: Callable[[Path], bool]) -> None:
        with self._protected(runner, name):
            if save(self.folder / name):
                self.written = list(dict.fromkeys([*self.written, name]))

    @contextmanager
    def _protected(self, runner: Runner, name: str) -> Iterator[None]:
        """Measure the time of a picture, and go on without one that cannot be drawn."""
        start = time.perf_counter()
        try:
            yield
        except Exception as error:  # whatever it is: hours of training are worth more
            runner.logger.warning(f'{name} is not drawn ({type(error).__name__}: {error}); the training goes on.')
        self.spent += time.perf_counter() - start

    def _save_panels(self, path: Path) -> bool:
        if self.panels:
            width = max(panel.shape[1] for panel in self.panels)
            rows = [np.pad(panel, ((0, 8), (0, width - panel.shape[1]), (0, 0)), constant_values=255)
                    for panel in self.panels]  # fmt: skip
            write_image(path, np.concatenate(rows))
        return bool(self.panels)

    def _save_matrix(self, path: Path) -> bool:
        if self.matrix.images:
            with new_file(path) as new:
                self.matrix.draw().savefig(new, dpi=120)
        return bool(self.matrix.images)

    def _save_curves(self, runner: Runner, path: Path) -> bool:
        figure = training_figure(read_curves(Path(runner.work_dir)), best_metrics(runner))
        if figure is not None:
            with new_file(path) as new:
                figure.savefig(new, dpi=120)
        return figure is not None
