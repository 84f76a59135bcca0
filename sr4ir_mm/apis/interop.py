"""Predictions in the forms of other libraries: supervision, FiftyOne."""

from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from mmengine.structures import BaseDataElement, InstanceData

from ..datasets.selection import UNLABELED
from ..errors import SR4IRError
from ..inference.predictions import run_mask
from ..utils.optional import import_optional

if TYPE_CHECKING:
    import fiftyone
    import supervision


def to_supervision(
    sample: BaseDataElement, classes: Sequence[str] | None = None
) -> 'supervision.Detections | supervision.Classifications':
    """Convert one prediction to ``supervision.Detections``, or that of a classifier to ``Classifications``.

    A map of classes becomes one detection for each class in it, with its mask and without confidence. Pixels of no
    class (255) become none.

    Args:
        sample (BaseDataElement): Prediction of the inferencer.
        classes (Sequence[str], optional): Names of the classes, for ``data['class_name']``.

    Raises:
        SR4IRError: If supervision is not installed, or has nothing for this kind of prediction.
    """
    sv = _library('supervision')
    if 'pred_score' in sample:
        scores = _array(sample.pred_score)
        return sv.Classifications(class_id=np.arange(len(scores)), confidence=scores)
    if 'pred_sem_seg' in sample:
        labels = _array(sample.pred_sem_seg.data)[0]
        ids = np.setdiff1d(labels, UNLABELED)
        masks = labels == ids[:, None, None]
        return sv.Detections(sv.mask_to_xyxy(masks), masks, class_id=ids, data=_names(ids, classes))
    boxes, scores, ids, masks = arrays(instances(sample, 'supervision'))
    return sv.Detections(boxes, None if masks is None else _stack(masks), scores, ids, data=_names(ids, classes))


def to_fiftyone(
    sample: BaseDataElement, classes: Sequence[str] | None = None
) -> 'fiftyone.Detections | fiftyone.Segmentation | fiftyone.Classification':
    """Convert one prediction to a label of FiftyOne, for a field of its sample.

    Args:
        sample (BaseDataElement): Prediction of the inferencer.
        classes (Sequence[str], optional): Names of the classes; otherwise labels are numbers. A segmentation has
            numbers in any case, and ``dataset.default_mask_targets`` their names.

    Returns:
        Detections, Segmentation or Classification: Boxes with masks, if there are any; map of classes; best class.

    Raises:
        SR4IRError: If FiftyOne is not installed, or has nothing for this kind of prediction.
    """
    fo = _library('fiftyone')
    names = list(map(str, classes)) if classes else None
    if 'pred_score' in sample:
        scores = _array(sample.pred_score)
        best = int(scores.argmax())
        return fo.Classification(label=names[best] if names else str(best), confidence=float(scores[best]))
    if 'pred_sem_seg' in sample:
        labels = _array(sample.pred_sem_seg.data)[0]
        return fo.Segmentation(mask=labels.astype(np.uint8 if labels.max() < 256 else np.uint16))
    boxes, scores, ids, masks = arrays(instances(sample, 'FiftyOne'))
    height, width = sample.metainfo['ori_shape'][:2]
    found = []
    for i, (box, score, label) in enumerate(zip(boxes, scores, ids)):
        left, top, right, bottom = box.clip(0, [width, height] * 2).tolist()
        place = [left / width, top / height, (right - left) / width, (bottom - top) / height]
        mask = None if masks is None else _crop(_mask(masks[i]), left, top, right, bottom)
        name = names[label] if names else str(label)
        found.append(fo.Detection(label=name, bounding_box=place, confidence=float(score), mask=mask))
    return fo.Detections(detections=found)


def _library(name: str) -> ModuleType:
    return import_optional(name, f'{name} is not installed: pip install {name}')


def instances(sample: BaseDataElement, library: str) -> InstanceData:
    """Return the detections of a prediction.

    Raises:
        SR4IRError: If it has none; the message names the library that needs them.
    """
    if 'pred_instances' not in sample or 'bboxes' not in sample.pred_instances:
        found = ', '.join(key for key in sample.keys() if key.startswith('pred_')) or 'no predictions'  # noqa: SIM118
        raise SR4IRError(f'{library} has no form for a sample with {found}: use the fields of the sample.')
    return sample.pred_instances


def arrays(found: InstanceData) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | list[dict] | None]:
    """Return boxes (N x 4), scores, labels, and masks: N x H x W, COCO's run lengths of each (scenes), or None."""
    masks = found.get('masks')
    masks = masks if masks is None or isinstance(masks, list) else _array(masks)
    return _array(found.bboxes).reshape(-1, 4), _array(found.scores), _array(found.labels).astype(int), masks


def _mask(mask: np.ndarray | dict) -> np.ndarray:
    return run_mask(mask) if isinstance(mask, dict) else mask.astype(bool)


def _stack(masks: np.ndarray | list[dict]) -> np.ndarray:
    """Return masks as N x H x W, bool."""
    if not isinstance(masks, list):
        return masks.astype(bool)
    found = np.empty((len(masks), *(masks[0]['size'] if masks else (0, 0))), bool)
    for i, mask in enumerate(masks):  # one by one: those of a scene are large
        found[i] = run_mask(mask)
    return found


def _array(value: Any) -> np.ndarray:
    value = getattr(value, 'tensor', value)  # boxes of mmdet
    return value.detach().cpu().numpy() if hasattr(value, 'detach') else np.asarray(value)


def _names(ids: np.ndarray, classes: Sequence[str] | None) -> dict[str, np.ndarray]:
    return {'class_name': np.array([classes[i] for i in ids], dtype=str)} if classes else {}


def _crop(mask: np.ndarray, left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """Cut out the part of a mask in a box, which has at least one pixel."""
    x, y = min(round(left), mask.shape[1] - 1), min(round(top), mask.shape[0] - 1)
    return mask[y : max(round(bottom), y + 1), x : max(round(right), x + 1)]
