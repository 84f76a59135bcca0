"""Results of scenes: predictions, pictures, and files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.logging import print_log
from mmengine.structures import BaseDataElement, InstanceData, PixelData

from ..geo.geojson import write_geojson
from ..geo.geotiff import write_geotiff
from ..geo.raster import RasterScene
from ..utils import write_image
from .layers import Layer
from .objects import SceneObject, full_masks, merge_objects
from .pieces import Pieces
from .predictor import ScenePredictor
from .scene import Scene

#: longest side of a picture of a whole scene in pixels
PICTURE_SIDE = 2048
#: file of the map of classes of a raster
MAP = '{}_pred_sem_seg.tif'


@dataclass
class SceneResults:
    """What the rows of a scene make.

    Args:
        scene (Scene): Scene.
        path (str): Its name.
        predictor (ScenePredictor): What predicted its windows.
        pieces (Pieces): Rows of results.
        dataset_meta (dict): Names and colors of the classes.
    """

    scene: Scene
    path: str
    predictor: ScenePredictor
    pieces: Pieces
    dataset_meta: dict

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the coordinates of predictions."""
        height, width = self.scene.size
        return height * self.predictor.ratio, width * self.predictor.ratio

    @property
    def classes(self) -> Sequence[str]:
        """Names of the classes."""
        return self.dataset_meta.get('classes') or range(2**15)

    @cached_property
    def objects(self) -> list[SceneObject]:
        """Objects of the whole scene."""
        entries = self.pieces.found('objects', len(self.predictor.rows.windows))
        return merge_objects(entries, self.predictor.rows, self.predictor.columns, self.predictor.ratio)

    def sample(self, name: str, in_memory: bool) -> BaseDataElement:
        """Return the prediction as a data sample.

        Args:
            name (str): Name of the files of results.
            in_memory (bool): Whether it holds the map of a raster, too, and not only the name of its file.
        """
        sample = BaseDataElement(metainfo=dict(ori_shape=self.size, img_path=self.path))
        for layer in self._layers('classes'):
            if isinstance(self.scene, RasterScene) and not in_memory:
                sample.set_data(dict(pred_sem_seg_file=MAP.format(Path(name).name)))
            else:
                labels = np.concatenate(list(self._lines(layer)))[None, ..., 0]
                labels = labels.astype(np.int32) if layer.dtype == np.uint16 else labels  # PyTorch counts with these
                sample.pred_sem_seg = PixelData(data=torch.from_numpy(labels))
        if self.predictor.has_objects:
            sample.pred_instances = self._instances()
        return sample

    def write(self, folder: Path, name: str, saves_pred: bool) -> None:
        """Write what a data sample does not hold: the SR image, and predictions of a raster in its coordinates."""
        for layer in self._layers('sr'):
            self._write_image(layer, folder / 'sr' / name)
        if not saves_pred or not isinstance(self.scene, RasterScene):
            return
        for layer in self._layers('classes'):
            self._write_map(layer, folder / 'preds' / MAP.format(name))
        if self.predictor.has_objects:
            found = (entry.to_dict(self.predictor.ratio) for entry in self.objects)
            write_geojson(folder / 'preds' / f'{name}.geojson', found, self.scene, self.classes)

    def picture(self, scale: int) -> tuple[np.ndarray, BaseDataElement]:
        """Return the whole scene, H x W x 3, uint8, RGB, and a data sample of its size, without masks of objects.

        Args:
            scale (int): Factor by which a small scene is enlarged, so that lines are finer.
        """
        image = self.scene.overview(PICTURE_SIDE)[..., ::-1]
        factor = max(min(scale, PICTURE_SIDE / max(image.shape)), 1)
        image = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
        height, width = image.shape[:2]
        for layer in self._layers('sr'):
            image = self._decimated(layer, height, width)
        sample = BaseDataElement(metainfo=dict(ori_shape=(height, width), img_path=self.path))
        for layer in self._layers('classes'):
            sample.pred_sem_seg = PixelData(
                data=torch.from_numpy(self._decimated(layer, height, width)[..., 0].astype(np.int64))[None]
            )
        if self.predictor.has_objects:
            found = self._instances(masks=False)
            found.bboxes *= torch.tensor([width / self.size[1], height / self.size[0]] * 2)
            sample.pred_instances = found
        return image, sample

    def _instances(self, masks: bool = True) -> InstanceData:
        found = InstanceData(
            bboxes=torch.tensor([entry.bbox for entry in self.objects]).reshape(-1, 4),
            scores=torch.tensor([entry.score for entry in self.objects]),
            labels=torch.tensor([entry.label for entry in self.objects]).long(),
        )
        if masks and any(entry.mask is not None for entry in self.objects):
            if self.size[0] * self.size[1] < 2**32:
                found.masks = full_masks(self.objects, self.size)
            else:
                print_log(
                    f"'{self.path}' is too large for the run lengths of masks: only .geojson has outlines", 'current'
                )
        return found

    def _layers(self, name: str) -> list[Layer]:
        return [layer for layer in self.predictor.layers if layer.name == name]

    def _lines(self, layer: Layer) -> Iterator[np.ndarray]:
        return self.pieces.join(layer.name, layer.rows, layer.columns, layer.dtype, layer.channels)

    def _decimated(self, layer: Layer, height: int, width: int) -> np.ndarray:
        """Return a result of a height and a width: the nearest pixels of the whole one."""
        rows, columns = (
            ((np.arange(count) + 0.5) * axis.length * axis.ratio / count).astype(int)
            for axis, count in ((layer.rows, height), (layer.columns, width))
        )
        found, begin = [], 0
        for lines in self._lines(layer):
            chosen = rows[(rows >= begin) & (rows < begin + len(lines))] - begin
            found.append(lines[chosen][:, columns])
            begin += len(lines)
        return np.concatenate(found)

    def _write_image(self, layer: Layer, stem: Path) -> None:
        if isinstance(self.scene, RasterScene):
            blocks = (lines.transpose(2, 0, 1) for lines in self._lines(layer))
            options = dict(bands=3, nodata=layer.nodata)
            write_geotiff(stem.with_name(f'{stem.name}.tif'), blocks, self.scene, layer.rows.ratio, **options)
        else:
            write_image(stem.with_name(f'{stem.name}.png'), np.concatenate(list(self._lines(layer))))

    def _write_map(self, layer: Layer, file: Path) -> None:
        blocks = (lines[..., 0] for lines in self._lines(layer))
        meta = dict(classes=self.dataset_meta.get('classes'), colors=self.dataset_meta.get('palette'))
        dtype = np.dtype(layer.dtype).name
        write_geotiff(file, blocks, self.scene, layer.rows.ratio, dtype=dtype, nodata=layer.nodata, **meta)
