"""Predictions as a data set in COCO's format."""

from collections.abc import Sequence

from mmengine.structures import BaseDataElement, InstanceData

from ..inference.predictions import run_lengths
from .interop import arrays, instances


def to_coco(inputs: Sequence[str], predictions: Sequence[BaseDataElement], classes: Sequence[str]) -> dict:
    """Return detections or instances as a data set in COCO's format, with a ``score`` for each annotation.

    Args:
        inputs (Sequence[str]): Names of the images, ``inputs`` of the inferencer's result.
        predictions (Sequence[BaseDataElement]): ``predictions`` of the inferencer's result.
        classes (Sequence[str]): Names of the classes, ``inferencer.dataset_meta['classes']``.

    Returns:
        dict: Plain data with ``images``, ``categories`` and ``annotations``; ids count from 1. The annotations are the
        list that COCO's evaluation reads, too.

    Raises:
        SR4IRError: If the predictions are no detections.

    Example:
        >>> result = inferencer('images/')
        >>> data = to_coco(result['inputs'], result['predictions'], inferencer.dataset_meta['classes'])
        >>> Path('predictions.json').write_text(json.dumps(data))
    """
    images, annotations = [], []
    for image_id, (name, sample) in enumerate(zip(inputs, predictions, strict=True), 1):
        height, width = map(int, sample.metainfo['ori_shape'][:2])
        images.append(dict(id=image_id, file_name=str(name), width=width, height=height))
        for entry in _entries(instances(sample, 'COCO')):
            annotations.append(dict(id=len(annotations) + 1, image_id=image_id, iscrowd=0, **entry))
    categories = [dict(id=i, name=str(name)) for i, name in enumerate(classes, 1)]
    return dict(images=images, categories=categories, annotations=annotations)


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
