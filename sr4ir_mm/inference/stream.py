"""The way of images through an inferencer: read, predict, draw and write at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from mmengine.structures import BaseDataElement

from ..utils import to_uint8
from ..utils.files import WriteError
from .images import skip
from .overlap import WAITING_PIXELS, Job, in_order, read_ahead, thread
from .small_images import TooSmallImage, failure

if TYPE_CHECKING:
    from .inferencer import SR4IRInferencer

#: threads take turns with MMEngine's scope, of which there is one for all
SCOPE_LOCK = threading.RLock()
Samples = tuple[Job, BaseDataElement, BaseDataElement]


@dataclass
class Stream:
    """Images on their way.

    Args:
        inferencer (SR4IRInferencer): What predicts, draws and writes.
        batch_size (int): Largest number of images of the same size that make one batch.
        coords (str): Coordinates of the predictions.
        draws (bool): Whether pictures are made.
        out_dir (str): Folder of the results; '' writes nothing.
        saves_pred (bool): Whether predictions are written.
        saves_vis (bool): Whether pictures are written.
        saves_frames (bool): Whether pictures and SR images of frames are written as images.
        keep_going (bool): Whether an image in which something fails is skipped.
        drawing (Mapping[str, Any]): Options of the visualizer.
        skipped (dict[str, str]): Receives the names of images that have no result, and the reasons.
    """

    inferencer: SR4IRInferencer
    batch_size: int
    coords: str
    draws: bool
    out_dir: str
    saves_pred: bool
    saves_vis: bool
    saves_frames: bool
    keep_going: bool
    drawing: Mapping[str, Any]
    skipped: dict[str, str] = field(default_factory=dict)

    def jobs(self, images: Sequence[str | np.ndarray], **options: Any) -> Iterator[Job]:
        """Yield the images in order, with a future result or the reason why they have none.

        Args:
            images (Sequence[str or np.ndarray]): Files, URLs, arrays and videos.
            **options: Arguments of :func:`read_ahead`.
        """
        pipeline = self.inferencer.pipeline
        with thread('reads') as reader, thread('writes') as writer:

            def predict(batch: list[Job]) -> None:
                if batch[0].is_scene:
                    for job in batch:
                        self._predict_scene(job)
                    return
                for job, *samples in self._forward(batch):
                    job.result = writer.submit(self._finish, job, *samples)

            read = self.inferencer.scenes.read
            jobs = read_ahead(images, pipeline.max_lr_pixels, reader, read=read, **options)
            yield from in_order(jobs, self.batch_size, predict, WAITING_PIXELS // pipeline.scale**2)

    def result(self, job: Job) -> dict | None:
        """Return what was made of an image; None if it has no result. What cannot be written ends the run."""
        if not job.reason:
            try:
                return job.result.result()
            except Exception as error:
                if not self.keep_going or isinstance(error, WriteError):
                    raise
                job.reason = failure(error)
        job.skip(self.skipped)
        return None

    def _forward(self, batch: list[Job]) -> list[Samples]:
        """Predict one batch without the images in which the networks fail."""
        try:
            with SCOPE_LOCK:
                return list(self.inferencer.forward(batch, self.coords, self.draws))
        except Exception as error:
            if not self.keep_going and not isinstance(error, TooSmallImage):
                raise
            reason = failure(error)
        # here the error, and the memory that it holds, is gone
        if len(batch) > 1:
            return [row for job in batch for row in self._forward([job])]
        batch[0].reason = reason
        return []

    def _finish(self, job: Job, sample: BaseDataElement, drawn: BaseDataElement) -> dict:
        """Draw and write what is asked for of one image."""
        task_input = to_uint8(sample.task_input)
        picture = self._draw(task_input, drawn)
        if self.saves_frames or not job.video:
            self._write(job, task_input, sample, picture)
        else:
            self._write(job, None, sample, None)
        return dict(input=job.path, name=job.name, prediction=sample, task_input=task_input, visualization=picture)

    def _predict_scene(self, job: Job) -> None:
        """Predict a scene, and keep its result or its failure until it is its turn."""
        try:
            job.finish(self._finish_scene(job))
        except TooSmallImage as error:
            job.reason = f'{failure(error)}; choose larger windows'
        except Exception as error:
            if not self.keep_going or isinstance(error, WriteError):
                raise
            job.reason = failure(error)

    def _finish_scene(self, job: Job) -> dict:
        """Predict a scene in windows; draw and write what is asked for."""
        folder = Path(self.out_dir)
        stem = folder / 'preds' / job.name if self.out_dir else None
        scenes = self.inferencer.scenes
        with scenes.results(
            job.image,
            job.path,
            stem,
            self.coords,
            self.batch_size,
            self._predict,
            self._record,
            self.inferencer.show_progress,
        ) as results:
            sample = results.sample(job.name, in_memory=not self.out_dir)
            picture = self._draw(*results.picture(scenes.scale)) if self.draws else None
            if self.out_dir:
                results.write(folder, job.name, self.saves_pred)
            self._write(job, None, sample, picture)
        for window, reason in job.image.broken:
            skip(f'{job.path}[{", ".join(map(str, window))}]', f'cannot be read ({reason})', self.skipped)
        return dict(
            input=job.path, name=job.name, prediction=sample, task_input=None, visualization=picture,
            is_complete=not job.image.broken,
        )  # fmt: skip

    def _predict(self, items: list[dict]) -> list[BaseDataElement]:
        """Predict windows."""
        with SCOPE_LOCK, self.inferencer.task_scope():
            return [sample.cpu() for sample in self.inferencer.pipeline(items, self.coords)]

    @cached_property
    def _record(self) -> dict:
        """What predicts, as plain data; it takes a look at all weights."""
        from .record import run_record  # which imports the inferencer

        options = dict(self.inferencer.options, coords=self.coords, **asdict(self.inferencer.predict_options))
        return run_record(self.inferencer, 1, options)

    def _draw(self, image: np.ndarray, sample: BaseDataElement) -> np.ndarray | None:
        return self.inferencer.visualize(image, sample, **self.drawing) if self.draws else None

    def _write(
        self, job: Job, task_input: np.ndarray | None, sample: BaseDataElement, picture: np.ndarray | None
    ) -> None:
        if self.out_dir:
            sample, picture = (sample if self.saves_pred else None), (picture if self.saves_vis else None)
            self.inferencer.postprocess(job.name, Path(self.out_dir), task_input, sample, picture)
