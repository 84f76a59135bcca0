"""Predictions as a data set in COCO's format."""

from collections.abc import Sequence

from mmengine.structures import BaseDataElement

from ..inference.coco_rows import coco_annotations, coco_categories, coco_image
from ..inference.predictions import to_row
from .interop import instances


class CocoPredictions:
    """Detections or instances as a data set in COCO's format, with a ``score`` for each annotation, image by image.

    All of them are in memory; :file:`tools/infer.py` with ``--predictions FILE.json`` writes more than fit there.

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
        self.data: dict[str, list[dict]] = dict(images=[], categories=coco_categories(classes), annotations=[])

    def add(self, name: str, sample: BaseDataElement) -> None:
        """Add an image.

        Args:
            name (str): Name of the image.
            sample (BaseDataElement): Its prediction.

        Raises:
            SR4IRError: If the prediction is no detection.
        """
        images, annotations = self.data['images'], self.data['annotations']
        instances(sample, 'COCO')
        row = dict(image=str(name), **to_row(sample, str(name)))
        images.append(coco_image(row, len(images) + 1))
        annotations.extend(coco_annotations(row, len(images), len(annotations) + 1))


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
