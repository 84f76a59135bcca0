"""Inference on LR images."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.infer import BaseInferencer
from mmengine.logging import print_log
from mmengine.registry import DefaultScope
from mmengine.structures import BaseDataElement
from mmengine.visualization import Visualizer
from tqdm import tqdm

from ..config import build_model
from ..config.nodes import find_all
from ..config.predict import predict_options
from ..errors import SR4IRError
from ..models import SR4IR
from ..scenes.options import choose_scene_options
from ..scenes.scenes import Scenes
from ..utils import check_number
from ..utils.devices import check_device
from ..utils.names import VIDEO_SUFFIXES
from ..visualization.drawing import check_display, check_drawing, draw_sample, drawing_visualizer, draws_zoo_fields
from .enlarge import enlarge
from .exported import exported_model
from .exported_files import find_model
from .frames import count_all, frame_options, video_files
from .images import SUFFIXES, Inputs, describe, list_images, unique_names
from .lr_predictor import MAX_PIXELS, LRPredictor, check_coords
from .overlap import Job
from .predictions import save_images, save_prediction
from .runs import dataset_meta
from .slices import slides
from .stream import SCOPE_LOCK, Stream
from .task_options import set_options

#: threads take turns: a visualizer has one figure
_DRAWING = threading.RLock()


class SR4IRInferencer(BaseInferencer):
    """Super-resolution and recognition of low-resolution images of any size.

    Args:
        model (str or Config): Work dir of :file:`tools/train.py`, one of its checkpoints, or a file of
            :file:`tools/export.py`, which all hold the config; or config, its file or its name
            ('faster-rcnn_edsr_x4_voc', 'sr4ir_mm::sr4ir/...'); or a shared model, its folder or its name on
            the Hugging Face Hub ('user/name').
        weights (str, optional): Checkpoint file or URL. By default the given checkpoint, or the last one of the work
            dir. 'random' for a trial without training.
        device (str, optional): 'cpu', 'cuda:0', ...; by default a GPU, if the machine has one.
        show_progress (bool): Whether to show a progress bar.
        tile (int): Longest side, in LR pixels, that goes through the SR network in one piece; larger images go through
            it in overlapping tiles, which bounds memory.
        max_pixels (int): Largest number of pixels of an SR image. LR images that would make a larger one are skipped.
        amp (bool): Whether the networks compute in mixed precision: float16 on a GPU, bfloat16 on a CPU.
        tta (bool, optional): Whether the task network predicts on several views of each image: those of the config's
            ``tta_pipeline``, else the image and its mirror image. By default this and the next two
            are as in the entry ``predict`` of the config.
        classes (Sequence[str or int], optional): Names or labels of the only classes.
        score_thr (float, optional): Lowest score of objects; also that of those in pictures.
        slice_size (int, optional): Side, in SR pixels, of slices in which small objects are searched, too; see
            :class:`LRPredictor`. By default this and the next one are as in the entry ``predict``.
        slice_overlap (float, optional): Share of a side that neighboring slices have in common.
        backend (str, optional): What runs an exported file, 'onnxruntime' (the default for one) or 'openvino'.
        window (int, optional): Side, in LR pixels, of windows in which larger images go through both networks, so that
            memory does not grow with the image; 0 for whole images only. By default images whose SR image has more than
            2 ** 25 pixels have windows of the size of the training images. Only for objects and maps of classes.
        overlap (int, optional): LR pixels that neighboring windows have in common; a quarter of a window by default.
            By default this and ``window`` are as in the entry ``predict``.
        bands (Sequence[int], optional): Bands of rasters that are red, green and blue, from 1.
        stretch (str, optional): Values of rasters that become 0 and 255, 'LOW,HIGH', or percentiles, '2%,98%'.
        save_sr (bool): Whether SR images of images with windows are written, too.

    Raises:
        SR4IRError: If the config or the checkpoint is missing, the checkpoint does not cover the networks, the
            config's model is not SR4IR, or the device has no mixed precision.

    Example:
        >>> inferencer = SR4IRInferencer('work_dirs/faster-rcnn_edsr_x4_voc')
        >>> result = inferencer('folder/with/images', out_dir='outputs')
        >>> boxes = result['predictions'][0].pred_instances.bboxes  # in pixels of the LR image
    """

    def __init__(
        self,
        model: str | Path | Config,
        weights: str | None = None,
        device: str | None = None,
        show_progress: bool = True,
        tile: int = 256,
        max_pixels: int = MAX_PIXELS,
        amp: bool = False,
        tta: bool | None = None,
        classes: Sequence[str | int] | None = None,
        score_thr: float | None = None,
        slice_size: int | None = None,
        slice_overlap: float | None = None,
        backend: str | None = None,
        window: int | None = None,
        overlap: int | None = None,
        bands: Sequence[int] | None = None,
        stretch: str | None = None,
        save_sr: bool = False,
    ) -> None:
        check_device(device)
        self.options = dict(tile=tile, max_pixels=max_pixels, amp=amp)
        self.backend = dict(backend=backend, device=device)
        with SCOPE_LOCK:
            cfg, weights, self.files, self.dataset_meta = find_model(model, weights, backend, amp)
            self.scope = cfg.get('default_scope', 'mmengine')
            parts = dict(slice_size=slice_size, slice_overlap=slice_overlap, window=window, overlap=overlap)
            predict = predict_options(cfg, tta=tta, classes=classes, score_thr=score_thr, **parts)
            self.predict_options = predict
            self.options.update(slice_size=predict.slice_size, slice_overlap=predict.slice_overlap)
            with self.task_scope():
                super().__init__(cfg, weights, device, self.scope, show_progress)
                labels = set_options(self.model, cfg, predict, self.dataset_meta.get('classes') or ())
            scenes = dict(window=window, overlap=overlap, bands=bands, stretch=stretch, save_sr=save_sr)
            options = choose_scene_options(predict, slice_size, **scenes)
            self.scenes = Scenes(self.model, cfg, options, self.pipeline, self.dataset_meta, labels, predict.tta)
        # objects of lower scores are gone, and mmdet's visualizer has a limit of its own
        lowers = predict.score_thr is not None and draws_zoo_fields(self.visualizer)
        self.drawing = dict(pred_score_thr=0.0) if lowers else {}

    def __call__(self, inputs: Inputs | Mapping, batch_size: int = 1, **options: Any) -> dict:
        """Predict all images.

        This class serves as that of ``ray.data.Dataset.map_batches``: for a batch of columns it returns columns, see
        :func:`predict_columns`.

        Args:
            inputs (Inputs): LR images: files, folders, globs, URLs, arrays h x w x 3, BGR, tensors 3 x h x w, RGB,
                images of Pillow, or any iterable of them. They may be of any size, gray, RGBA, or of 16 bits. And
                videos, addresses of streams and numbers of cameras, whose frames are images; their results may not fit
                into memory, see :meth:`stream`.
            batch_size (int): Largest number of images of the same size that make one batch.
            **options: Arguments of :meth:`stream`.

        Returns:
            dict: For each image that could be read ``inputs`` (name), ``predictions`` (data sample of the task
            network), ``task_inputs`` (what the task network received, H x W x 3, uint8, RGB; None for an image with
            windows) and ``visualization`` (the same with predictions; None without ``return_vis``); and ``skipped``,
            the reasons why images could not be read, by name.

        Raises:
            SR4IRError: If no image could be read, or an option is unknown.
        """
        if isinstance(inputs, Mapping):
            from .columns import predict_columns  # which imports this module

            return predict_columns(self, inputs, batch_size, **options)
        skipped: dict[str, str] = {}
        results = list(self.stream(inputs, batch_size, skipped=skipped, **options))
        keys = dict(inputs='input', predictions='prediction', task_inputs='task_input', visualization='visualization')
        return dict({many: [entry[one] for entry in results] for many, one in keys.items()}, skipped=skipped)

    def stream(
        self,
        inputs: Inputs,
        batch_size: int = 1,
        return_vis: bool = False,
        show: bool = False,
        out_dir: str = '',
        no_save_pred: bool = False,
        no_save_vis: bool = False,
        coords: str = 'lr',
        skipped: dict[str, str] | None = None,
        recursive: bool = False,
        every: int = 1,
        max_frames: int | None = None,
        save_frames: bool = False,
        names: Sequence[str] | None = None,
        keep_going: bool = False,
        **kwargs: Any,
    ) -> Iterator[dict]:
        """Predict image by image, for more images than fit into memory.

        Two threads read the next images and write results meanwhile. A result that is yielded is written; if the
        iteration ends early, those that nobody asked for may be missing. Videos of results are complete when the
        iteration ends or comes to the next source.

        Args:
            inputs (Inputs): LR images, see :meth:`__call__`.
            batch_size (int): Largest number of images of the same size that make one batch. They are searched among
                the next images, and results keep the order of the images.
            return_vis (bool): Whether to return pictures of the predictions.
            show (bool): Whether to show each picture in a window.
            out_dir (str): Folder for predictions ('preds'), pictures ('vis') and SR images ('sr'); '' writes nothing.
            no_save_pred (bool): Whether to write no predictions.
            no_save_vis (bool): Whether to write no pictures.
            coords (str): Coordinates of the predictions: 'lr', those of the LR image, or 'sr', of the SR image.
            skipped (dict, optional): Receives the names of images that cannot be read, and the reasons.
            recursive (bool): Whether folders stand for what their subfolders hold, too.
            every (int): Distance of the frames of videos that are predicted; 1 for all.
            max_frames (int, optional): Largest number of frames of each video that are predicted.
            save_frames (bool): Whether to write pictures and SR images of frames as images instead of videos.
            names (Sequence[str], optional): Unique names for the results of ``inputs``, which then is a list of files,
                URLs and arrays. By default they follow from the inputs.
            keep_going (bool): Whether an image in which the networks or the visualizer fail, e.g. because memory runs
                out, is skipped, too, instead of ending the iteration; and no error is raised if all images are.
            **kwargs: Options of the task network's visualizer, such as ``pred_score_thr``.

        Yields:
            dict: ``input``, ``name`` (of its results), ``prediction``, ``task_input`` and ``visualization`` of one
            image or frame.
        """
        check_number('SR4IRInferencer', low=1, whole=True, batch_size=batch_size)
        check_coords(coords)
        check_drawing(self.visualizer, kwargs)
        if show:
            check_display()
        images = list_images(inputs, SUFFIXES + VIDEO_SUFFIXES, recursive, out_dir) if names is None else list(inputs)
        names = unique_names(images, recursive) if names is None else names
        sampling = frame_options(images, every, max_frames, save_frames)
        self.scenes.read.check(images)
        skipped = {} if skipped is None else skipped
        draws = return_vis or show or bool(out_dir and not no_save_vis)
        saves = (not no_save_pred, not no_save_vis, save_frames)
        stream = Stream(self, batch_size, coords, draws, out_dir, *saves, keep_going, kwargs, skipped)
        done = 0
        jobs = stream.jobs(images, names=names, **sampling)
        with closing(jobs), video_files(out_dir) as videos:  # threads end, and videos are completed
            for job in tqdm(jobs, 'Inference', count_all(images, sampling), disable=not self.show_progress):
                if (result := stream.result(job)) is None:
                    continue
                done += 1
                if job.video and out_dir and not save_frames:
                    picture = None if no_save_vis else result['visualization']
                    videos.write(job.source, job.video.fps, dict(sr=result['task_input'], vis=picture))
                if show:
                    self._show(job, result['visualization'])
                yield result
        if images and not done and not keep_going:
            raise SR4IRError('\n'.join(f'{describe(name)} {reason}' for name, reason in skipped.items()))

    def forward(
        self, batch: list[Job], coords: str = 'lr', draws: bool = False
    ) -> Iterator[tuple[Job, BaseDataElement, BaseDataElement]]:
        """Predict one batch of images; a visualizer of users receives predictions in the coordinates of SR images."""
        items = [dict(img=job.image, img_path=job.path, img_id=0) for job in batch]
        on_sr = draws and not draws_zoo_fields(self.visualizer)
        with self.task_scope():
            samples = self.pipeline.predict(items, *dict.fromkeys((coords, 'sr' if on_sr else coords)))
        for job, row in zip(batch, samples):
            on_cpu = [sample.cpu() for sample in row]
            yield job, on_cpu[0], on_cpu[-1]

    def visualize(self, task_input: np.ndarray, sample: BaseDataElement, **kwargs: Any) -> np.ndarray:
        """Draw predictions on what the task network received, where lines are finer: H x W x 3, uint8, RGB."""
        if not self.model.scheme.uses_task_net:
            return task_input
        if draws_zoo_fields(self.visualizer):
            sample = enlarge(sample, task_input.shape[:2])
        options = {**self.drawing, **kwargs}
        with _DRAWING:
            return draw_sample(self.visualizer, task_input, sample, draw_gt=False, draw_pred=True, **options)

    def postprocess(
        self,
        name: str,
        folder: Path,
        task_input: np.ndarray | None,
        prediction: BaseDataElement | None,
        visualization: np.ndarray | None,
    ) -> None:
        """Write the results of one image, except those that are None."""
        save_images(dict(sr=task_input, vis=visualization), folder, name)
        if prediction is not None and self.model.scheme.uses_task_net:
            save_prediction(prediction, folder / 'preds' / name, self.dataset_meta.get('classes'))

    def _show(self, job: Job, picture: np.ndarray) -> None:
        with _DRAWING:  # a window for each image until a key is pressed; one for all frames of a video
            self.visualizer.show(picture, win_name=job.source, wait_time=0.001 if job.video else 0)

    def task_scope(self) -> AbstractContextManager:
        """Look up names in the library of the task network."""
        return DefaultScope.overwrite_default_scope(self.scope)

    def _init_model(self, cfg: Config, weights: str | None, device: str = 'cpu') -> SR4IR:
        if self.files:
            return exported_model(cfg, self.files, **self.backend)
        if weights is None:
            print_log('As asked for, the networks have random weights.', 'current', logging.WARNING)
        model = build_model(cfg, weights)
        self.dataset_meta = dataset_meta(cfg, weights)
        return model.to(device).eval()

    def _init_pipeline(self, cfg: Config) -> LRPredictor:
        pipeline = next(find_all(cfg.test_dataloader, 'pipeline'))
        if self.files and self.options['slice_size'] and slides(self.model.task):
            raise SR4IRError('Exported files have no windows of their own: leave out slice_size (--slice), or backend.')
        return LRPredictor(self.model, pipeline, **self.options)

    def _init_collate(self, cfg: Config) -> Callable[[list], list]:
        return list  # the predictor sorts images by size

    def _init_visualizer(self, cfg: Config) -> Visualizer:
        # postprocess saves the pictures
        cfg.visualizer = {'type': 'Visualizer', **(cfg.get('visualizer') or {}), 'vis_backends': []}
        visualizer = drawing_visualizer(super()._init_visualizer(cfg))
        visualizer.dataset_meta = self.dataset_meta
        return visualizer
