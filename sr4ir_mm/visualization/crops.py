"""Windows of data samples, so that what is drawn in a window has its own labels."""

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.structures import BaseDataElement, InstanceData, PixelData
from torch import Tensor

Window = tuple[slice, slice]
#: what the visualizers draw of an object
_DRAWN = ('labels', 'scores', 'label_names')
#: how far the edges of a box lie beyond the window that is inside the box, px
_BEYOND = 9


def crop(sample: BaseDataElement, window: Window, size: tuple[int, int]) -> BaseDataElement:
    """Return what lies in a window of a data sample of mmseg or mmdet, enlarged; the sample stays as it is.

    Args:
        sample (BaseDataElement): Data sample, whose boxes and maps are of its ``ori_shape``.
        window (tuple[slice, slice]): Rows and columns.
        size (tuple[int, int]): Height and width of the result.

    Returns:
        BaseDataElement: New sample with the objects and maps of the window.
    """
    found = type(sample)(metainfo={**sample.metainfo, 'ori_shape': size, 'img_shape': size})
    for name, field in sample.items():
        if isinstance(field, InstanceData) and 'bboxes' in field:
            found.set_data({name: _crop_objects(field, window, size)})
        elif isinstance(field, PixelData):
            maps = {key: _resize(torch.as_tensor(value)[(..., *window)], size) for key, value in field.items()}
            found.set_data({name: PixelData(metainfo=field.metainfo, **maps)})
    return found


def _crop_objects(objects: InstanceData, window: Window, size: tuple[int, int]) -> InstanceData:
    rows, columns = window
    boxes = torch.as_tensor(getattr(objects.bboxes, 'tensor', objects.bboxes)).float()
    scale = size[1] / (columns.stop - columns.start), size[0] / (rows.stop - rows.start)
    boxes = (boxes - boxes.new_tensor([columns.start, rows.start] * 2)) * boxes.new_tensor(scale * 2)
    limits = boxes.new_tensor([size[1], size[0]])
    inside = (boxes[:, :2] < limits).all(1) & (boxes[:, 2:] > 0).all(1)
    if 'masks' in objects:  # networks that predict masks alone have empty boxes
        inside |= ~torch.as_tensor(getattr(objects.bboxes, 'tensor', objects.bboxes)).any(1).to(inside.device)
    values = {name: objects[inside].get(name) for name in _DRAWN if name in objects}
    values['bboxes'] = torch.minimum(boxes[inside].clamp(min=-_BEYOND), limits.repeat(2) + _BEYOND)
    if 'masks' in objects:
        masks = objects.masks.to_ndarray() if hasattr(objects.masks, 'to_ndarray') else objects.masks
        masks = torch.as_tensor(np.asarray(masks))[inside.cpu().numpy()]
        values['masks'] = _resize(masks[(..., *window)], size)
    return InstanceData(metainfo=objects.metainfo, **values)


def _resize(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Enlarge maps, C x h x w, by repetition; same dtype."""
    if not len(maps):
        return maps.new_zeros((0, *size))
    return F.interpolate(maps[None].double(), size=size, mode='nearest')[0].to(maps.dtype)
