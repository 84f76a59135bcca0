"""Metrics from the results of each image, with a weight for each image: any resample of the images in one call."""

import numpy as np

from ..errors import SR4IRError
from .image_tables import ImageTable

#: recalls at which COCO reads the precision
RECALLS = np.linspace(0, 1, 101)
_CELLS = 4_000_000  # of an array of resamples and detections


def score(table: ImageTable, metric: str, weights: np.ndarray) -> np.ndarray:
    """Compute a metric as its evaluator does, for each resample of the images.

    Args:
        table (ImageTable): Results of I images.
        metric (str): 'accuracy/top1' or 'mIoU', in percent; 'coco/bbox_mAP' or 'coco/segm_mAP', a share;
            'sr/PSNR', 'sr/SSIM', ...
        weights (ndarray): R x I whole numbers: how often each image is in each resample.

    Returns:
        ndarray: R values; nan where nothing was measured.

    Raises:
        SR4IRError: If the table does not have the metric.
    """
    arrays = table.of(metric)
    if 'correct' in arrays:
        return 100 * (weights @ arrays['correct'].astype(float)) / weights.sum(1)
    if 'union' in arrays:
        return 100 * _mean_iou(arrays, weights)
    if 'matched' in arrays:
        return _mean_ap(arrays, weights)
    if 'value' in arrays:
        return _mean_value(arrays['value'], weights)
    raise SR4IRError(f"The results of the images have no '{metric}': they are there for top-1 accuracy, mIoU and mAP.")


def _mean_value(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the mean, as of PSNR: without images that are equal, unless all are."""
    finite = np.isfinite(values)
    if not finite.any():
        return np.full(len(weights), values.max(initial=-np.inf))
    with np.errstate(invalid='ignore'):
        return weights[:, finite] @ values[finite] / weights[:, finite].sum(1)


def _mean_iou(arrays: dict[str, np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Return the mean over the classes that occur in the resample or its predictions."""
    intersection, union = (weights @ arrays[name].astype(float) for name in ('intersection', 'union'))
    return _mean_of_measured(np.divide(intersection, union, out=np.full_like(union, np.nan), where=union > 0))


def _mean_ap(arrays: dict[str, np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Return COCO's mean average precision over the classes of which the resample has objects."""
    by_class = []
    for label in range(arrays['objects'].shape[1]):
        rows = np.flatnonzero(arrays['label'] == label)
        rows = rows[np.argsort(-arrays['score'][rows], kind='stable')]
        parts = [arrays[name][rows] for name in ('image', 'matched', 'ignored')]
        step = max(1, _CELLS // max(len(rows), 1))
        chunks = [weights[i : i + step] for i in range(0, len(weights), step)]
        by_class.append(np.concatenate([_ap(*parts, arrays['objects'][:, label], chunk) for chunk in chunks]))
    return _mean_of_measured(np.stack(by_class, 1))


def _ap(
    image: np.ndarray, matched: np.ndarray, ignored: np.ndarray, objects: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Return the average precision of one class, the mean over the thresholds of the overlap.

    Precision is read at the hits only: between two of them it falls, and COCO takes the highest one to the right.
    """
    number = weights @ objects
    times = weights[:, image]
    seen = times.cumsum(1)
    values = np.zeros((matched.shape[1], len(weights)))
    for i, (hit, out) in enumerate(zip((matched & ~ignored).T, ignored.T)):
        hits = times[:, hit].cumsum(1)
        counted = (times * ~out).cumsum(1) if out.any() else seen
        precision = hits / (counted[:, hit] + np.spacing(1))
        recall = hits / np.maximum(number, 1)[:, None]
        highest = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        reached = np.searchsorted(RECALLS, recall, side='right')
        values[i] = (highest * np.diff(reached, prepend=0)).sum(1) / len(RECALLS)
    return np.where(number > 0, values.mean(0), np.nan)


def _mean_of_measured(values: np.ndarray) -> np.ndarray:
    measured = ~np.isnan(values)
    with np.errstate(invalid='ignore'):
        return np.where(measured, values, 0).sum(1) / measured.sum(1)
