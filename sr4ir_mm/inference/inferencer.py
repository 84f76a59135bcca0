"""Inference on LR images."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.config import Config
from mmengine.infer import BaseInferencer
from mmengine.logging import print_log
from mmengine.registry import DATASETS, DefaultScope
from mmengine.structures import BaseDataElement
from mmengine.visualization import Visualizer
from torch import nn
from tqdm import tqdm

from ..config.loading import find_checkpoint, find_config
from ..config.nodes import find_all, type_name
from ..config.work_dir import last_checkpoint
from ..errors import SR4IRError
from ..utils import to_uint8
from ..visualization.panel import draw
from .images import Inputs, expand, names, read
from .lr_predictor import LRPredictor
from .predictions import save


class SR4IRInferencer(BaseInferencer):
    """S and T on low-resolution images of any size.

    ::

        inferencer = SR4IRInferencer('work_dirs/faster-rcnn_edsr_x4_voc')
        result = inferencer('folder/with/images', out_dir='outputs')
        boxes = result['predictions'][0].pred_instances.bboxes  # in pixels of the LR image

    Args:
        model (str or Config): A config file, its name ('faster-rcnn_edsr_x4_voc', 'sr4ir_mm::sr4ir/...'), a
            work dir of :file:`tools/train.py`, or a config.
        weights (str, optional): Checkpoint file or URL. A work dir's last one by default.
        device (str, optional): 'cpu', 'cuda:0', ...; a GPU by default, if there is one.
        show_progress (bool): Whether to show a progress bar.
        tile (int): Images with a longer side, in LR pixels, go through S in overlapping pieces, which bounds memory.

    Raises:
        SR4IRError: If there is no such config or checkpoint, or the config is not one of SR4IR.
    """

    def __init__(
        self,
        model: str | Path | Config,
        weights: str | None = None,
        device: str | None = None,
        show_progress: bool = True,
        tile: int = 256,
    ) -> None:
        if not isinstance(model, Config):
            folder = Path(model)
            model = find_config(str(model))
            if weights is None and folder.is_dir():
                weights = str(last_checkpoint(folder) or folder / 'epoch_*.pth')
        if (kind := type_name(model.model.type)) != 'SR4IR':
            raise SR4IRError(f"The config's model is a {kind}, not SR4IR: put S before it, see sr4ir_mm.mix.")
        weights = find_checkpoint(weights) if weights else None
        self.tile = tile
        self.scope = model.get('default_scope', 'mmengine')
        with self._zoo():
            super().__init__(model, weights, device, self.scope, show_progress)

    def __call__(self, inputs: Inputs, batch_size: int = 1, **options: Any) -> dict:
        """Predict.

        Args:
            inputs (Inputs): LR images: files, folders, globs, URLs, or arrays h x w x 3, BGR; of any size, gray, RGBA
                or of 16 bits too.
            batch_size (int): Images to read at a time; those of one size go through S and T together.
            **options: See :meth:`stream`.

        Returns:
            dict: For each image that could be read ``inputs`` (its name), ``predictions`` (T's data sample),
            ``task_inputs`` (what T received, H x W x 3, uint8, RGB) and ``visualization`` (the same with T's predictions; None if not asked
            for); and ``skipped``, why others could not be read, by name.

        Raises:
            SR4IRError: If no image could be read.
        """
        skipped: dict[str, str] = {}
        found = list(self.stream(inputs, batch_size, skipped=skipped, **options))
        keys = dict(inputs='input', predictions='prediction', task_inputs='task_input', visualization='visualization')
        return dict({many: [entry[one] for entry in found] for many, one in keys.items()}, skipped=skipped)

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
        **kwargs: Any,
    ) -> Iterator[dict]:
        """The same image by image, for more of them than memory holds.

        Args:
            inputs (Inputs): See :meth:`__call__`.
            batch_size (int): See :meth:`__call__`.
            return_vis (bool): Whether to return pictures.
            show (bool): Whether to show each picture in a window.
            out_dir (str): Folder for predictions ('preds'), pictures ('vis') and SR images ('sr'); '' writes nothing.
            no_save_pred (bool): Write no predictions.
            no_save_vis (bool): Write no pictures.
            coords (str): Of the predictions: 'lr', those of the image, or 'sr', those of the SR image.
            skipped (dict, optional): Takes the names of images that cannot be read, and why.
            **kwargs: For T's visualizer, such as ``pred_score_thr``.

        Yields:
            dict: ``input``, ``prediction``, ``task_input`` and ``visualization`` of one image.
        """
        images = expand(inputs)
        skipped = {} if skipped is None else skipped
        draws = return_vis or show or bool(out_dir and not no_save_vis)
        for batch in self._chunks(images, batch_size, skipped):
            for name, item, sample in self.forward(batch, coords):
                task_input = to_uint8(sample.task_input)
                picture = self.visualize(item, name, task_input, sample, coords, show, **kwargs) if draws else None
                if out_dir:
                    kept = (None if no_save_pred else sample, None if no_save_vis else picture)
                    self.postprocess(name, Path(out_dir), task_input, *kept)
                yield dict(input=item['img_path'], prediction=sample, task_input=task_input, visualization=picture)
        if images and len(skipped) == len(images):
            raise SR4IRError('\n'.join(f"image '{name}' {reason}" for name, reason in skipped.items()))

    def forward(self, batch: list[tuple[str, dict]], coords: str = 'lr') -> Iterator[tuple[str, dict, BaseDataElement]]:
        """Predict one batch of named items of the pipeline."""
        with self._zoo():
            samples = self.pipeline([item for _, item in batch], coords)
        for (name, item), sample in zip(batch, samples):
            yield name, item, sample.cpu()

    def visualize(
        self, item: dict, name: str, sr: np.ndarray, sample: BaseDataElement, coords: str, show: bool = False, **kwargs
    ) -> np.ndarray:
        """T's predictions on the SR image, on which there is room for them: H x W x 3, uint8, RGB."""
        if coords != 'sr':
            with self._zoo():
                (sample,) = self.pipeline.run_task([item], sample.lr[None], sample.task_input[None], 'sr')
        picture = sr
        if self.model.scheme.uses_task_net:
            picture = draw(self.visualizer, sr, sample, draw_gt=False, draw_pred=True, **kwargs)
        if show:
            self.visualizer.show(picture, win_name=name)
        return picture

    def postprocess(
        self, name: str, out: Path, sr: np.ndarray, prediction: BaseDataElement | None, visualization: np.ndarray | None
    ) -> None:
        """Write what there is of one image."""
        for folder, image in (('sr', sr), ('vis', visualization)):
            if image is not None:
                (out / folder).mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(out / folder / f'{name}.png'), image[..., ::-1])
        if prediction is not None and self.model.scheme.uses_task_net:
            save(prediction, out / 'preds' / name, self.dataset_meta.get('classes'))

    def _chunks(self, images: list, size: int, skipped: dict[str, str]) -> Iterator[list[tuple[str, dict]]]:
        """Read some images at a time."""
        batch = []
        for name, image in zip(names(images), tqdm(images, 'Inference', disable=not self.show_progress)):
            path = image if isinstance(image, str) else name
            try:
                batch.append((name, dict(img=read(image), img_path=path, img_id=0)))
            except SR4IRError as error:
                skipped[path] = str(error)
                print_log(f"skipped: image '{path}' {error}", 'current', logging.WARNING)
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch

    def _zoo(self) -> AbstractContextManager:
        """T's library is where names are looked up."""
        return DefaultScope.overwrite_default_scope(self.scope)

    def _init_pipeline(self, cfg: Config) -> LRPredictor:
        return LRPredictor(self.model, next(find_all(cfg.test_dataloader, 'pipeline')), tile=self.tile)

    def _init_collate(self, cfg: Config) -> Callable[[list], list]:
        return list  # the pipeline sorts images by size

    def _init_visualizer(self, cfg: Config) -> Visualizer:
        cfg.visualizer.vis_backends = []  # we save
        visualizer = super()._init_visualizer(cfg)
        visualizer.dataset_meta = self.dataset_meta
        return visualizer

    def _load_weights_to_model(self, model: nn.Module, checkpoint: dict | None, cfg: Config) -> None:
        super()._load_weights_to_model(model, checkpoint, cfg)
        dataset = cfg.test_dataloader.dataset
        with DATASETS.switch_scope_and_registry(None) as library:
            known = getattr(library.get(dataset['type']), 'METAINFO', {}) | dataset.get('metainfo', {})
        stored = ((checkpoint or {}).get('meta') or {}).get('dataset_meta') or {}
        self.dataset_meta = {**known, **{key: value for key, value in stored.items() if value is not None}}
