"""Predictions in the coordinates of LR images, enlarged to those of SR images for pictures."""

import cv2
import numpy as np
import torch
from mmengine.structures import BaseDataElement, InstanceData, PixelData

Size = tuple[int, int]


def enlarge(sample: BaseDataElement, size: Size) -> BaseDataElement:
    """Return what the visualizers of the zoos draw of a sample, enlarged; the sample stays as it is.

    Borders of masks and of classes are smoothed. The task network need not run again.

    Args:
        sample (BaseDataElement): Data sample of a task network of the zoos.
        size (tuple[int, int]): Height and width of the picture.

    Returns:
        BaseDataElement: New sample with the fields 'pred_...', of ``ori_shape`` ``size``.
    """
    old = tuple(sample.metainfo['ori_shape'][:2])
    if old == size:
        return sample
    found = type(sample)(metainfo={**sample.metainfo, 'ori_shape': size})
    for name, field in sample.items():
        if name.startswith('pred_'):
            found.set_data({name: _enlarge_field(field, old, size)})
    return found


def _enlarge_field(field: object, old: Size, size: Size) -> object:
    if isinstance(field, PixelData):
        maps = {name: _resize_map(np.asarray(value), size) for name, value in field.items()}
        return PixelData(metainfo=field.metainfo, **maps)
    if not isinstance(field, InstanceData):
        return field  # a class of the whole image
    values = dict(field.items())
    if 'bboxes' in values:
        boxes = torch.as_tensor(getattr(values['bboxes'], 'tensor', values['bboxes']))
        values['bboxes'] = boxes * boxes.new_tensor([size[1] / old[1], size[0] / old[0]] * 2)
    if 'masks' in values:
        masks = [_resize(mask.astype(np.uint8) * 255, size) > 127 for mask in np.asarray(values['masks'])]
        values['masks'] = torch.from_numpy(np.stack(masks) if masks else np.zeros((0, *size), bool))
    return InstanceData(metainfo=field.metainfo, **values)


def _resize_map(image: np.ndarray, size: Size) -> np.ndarray:
    """Enlarge a map, C x h x w: numbers by interpolation, labels by a vote of the nearest pixels."""
    resize = _resize if np.issubdtype(image.dtype, np.floating) else _resize_labels
    return np.stack([resize(channel, size) for channel in image.reshape(-1, *image.shape[-2:])])


def _resize_labels(labels: np.ndarray, size: Size) -> np.ndarray:
    found = np.zeros(size, labels.dtype if labels.itemsize < 4 else np.int32)
    most = np.zeros(size, np.uint8)
    for label in np.unique(labels):
        share = _resize((labels == label).astype(np.uint8) * 255, size)
        found[share > most] = label
        np.maximum(most, share, out=most)
    return found


def _resize(image: np.ndarray, size: Size) -> np.ndarray:
    return cv2.resize(image, size[::-1], interpolation=cv2.INTER_LINEAR)
