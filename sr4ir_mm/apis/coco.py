"""Predictions as a data set in COCO's format."""

from collections.abc import Sequence

from mmengine.structures import BaseDataElement, InstanceData

from ..inference.predictions import run_lengths
from .interop import arrays, instances


class CocoPredictions:
    """Detections or instances as a data set in COCO's format, with a ``score`` for each annotation, image by image.

    Args:
        classes (Sequence[str]): Names of the classes, ``inferencer.dataset_meta['classes']``.

    Attributes:
        data (dict): Plain data with ``images``, ``categories`` and ``annotations``; ids count from 1. The annotations
            are the list that COCO's evaluation reads, too.

    Example:
        >>> predictions = CocoPredictions(inferencer.dataset_meta['classes'])
        >>> for result in inferencer.stream('images/'):
        ...     predictions.add(result['input'], result['prediction'])
        >>> Path('predictions.json').write_text(json.dumps(predictions.data))
    """

    def __init__(self, classes: Sequence[str]) -> None:
        categories = [dict(id=i, name=str(name)) for i, name in enumerate(classes, 1)]
        self.data: dict[str, list[dict]] = dict(images=[], categories=categories, annotations=[])

    def add(self, name: str, sample: BaseDataElement) -> None:
        """Add an image.

        Args:
            name (str): Name of the image.
            sample (BaseDataElement): Its prediction.

        Raises:
            SR4IRError: If the prediction is no detection.
        """
        images, annotations = self.data['images'], self.data['annotations']
        found = instances(sample, 'COCO')
        height, width = map(int, sample.metainfo['ori_shape'][:2])
        images.append(dict(id=len(images) + 1, file_name=str(name), width=width, height=height))
        for entry in _entries(found):
            annotations.append(dict(id=len(annotations) + 1, image_id=len(images), iscrowd=0, **entry))


def to_coco(inputs: Sequence[str], predictions: Sequence[BaseDataElement], classes: Sequence[str]) -> dict:
    """Return detections or instances as a data set in COCO's format, see :class:`CocoPredictions`.

    Args:
        inputs (Sequence[str]): Names of the images, ``inputs`` of the inferencer's result.
        predictions (Sequence[BaseDataElement]): ``predictions`` of the inferencer's result.
        classes (Sequence[str]): Names of the classes, ``inferencer.dataset_meta['classes']``.

    Returns:
        dict: ``images``, ``categories`` and ``annotations``.

    Raises:
        SR4IRError: If the predictions are no detections.

    Example:
        >>> result = inferencer('images/')
        >>> data = to_coco(result['inputs'], result['predictions'], inferencer.dataset_meta['classes'])
    """
    found = CocoPredictions(classes)
    for name, sample in zip(inputs, predictions, strict=True):
        found.add(name, sample)
    return found.data


def _entries(found: InstanceData) -> list[dict]:
    boxes, scores, ids, masks = arrays(found)
    entries = []
    for i, (left, top, right, bottom) in enumerate(boxes.tolist()):
        width, height = right - left, bottom - top
        entry = dict(category_id=int(ids[i]) + 1, bbox=[left, top, width, height], score=float(scores[i]))
        shape = dict(area=width * height)
        if masks is not None:
            shape = dict(area=int(masks[i].sum()), segmentation=run_lengths(masks[i]))
        entries.append(entry | shape)
    return entries
