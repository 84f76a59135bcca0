"""Metrics of some classes: ``--classes`` of a test."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.structures import BaseDataElement

from ..datasets.selection import is_among, keep_classes
from ..errors import SR4IRError

#: metrics that can be restricted, or that do not depend on classes; the first base of a class that is known counts
_KNOWN = ('IoUMetric', 'CocoMetric', 'VOCMetric', 'Accuracy', 'SRQuality', 'DumpResults')
_OTHERS = ('LVISMetric',)


def restrict_evaluator(evaluator: Evaluator, labels: Sequence[int]) -> None:
    """Let an evaluator measure some classes only.

    mIoU and mAP are means over these classes; each one has the value that it has among all classes. An accuracy is that
    of the images of these classes, of which one is predicted.

    Args:
        evaluator (Evaluator): Evaluator with its metrics, whose predictions are of these classes; it is changed.
        labels (Sequence[int]): Labels of the classes.

    Raises:
        SR4IRError: If a metric has no such mean.
    """
    for metric in evaluator.metrics:
        kind = _kind(metric)
        if kind == 'IoUMetric':
            metric.compute_metrics = partial(_compute_some, metric.compute_metrics, labels)
        elif kind == 'CocoMetric' and metric._coco_api is not None:
            _remove_objects(metric, labels, evaluator.dataset_meta['classes'])
    evaluator.process = partial(_process, evaluator.process, labels)


def _kind(metric: BaseMetric) -> str:
    names = [base.__name__ for base in type(metric).__mro__]
    kind = next((name for name in names if name in _KNOWN + _OTHERS), None)
    if kind not in _KNOWN or getattr(metric, 'metric', None) == 'recall':
        raise SR4IRError(
            f'--classes: {names[0]} cannot be computed for some of the classes; use one of {", ".join(_KNOWN[:4])} in '
            'test_evaluator, or leave out --classes.'
        )
    return kind


def _process(process: Any, labels: Sequence[int], data_samples: Sequence, data_batch: Any = None) -> None:
    """Process a batch without the ground truth of other classes."""
    kept = [sample for sample in data_samples if _is_of(sample, labels)]
    for sample in kept:
        if 'gt_instances' in sample:
            keep_classes(sample, 'gt', labels)
        if 'instances' in sample:  # of which mmdet makes COCO's ground truth if there is no file
            objects = [entry for entry in sample.instances if entry['bbox_label'] in labels]
            sample.set_metainfo(dict(instances=objects))
    process(data_samples=kept, data_batch=data_batch)
    for sample in data_samples:  # panels show them; the metrics needed the other classes to tell what is wrong
        keep_classes(sample, 'gt', labels)


def _is_of(sample: BaseDataElement, labels: Sequence[int]) -> bool:
    return 'gt_label' not in sample or bool(is_among(sample.gt_label, labels).any())


def _compute_some(compute: Any, labels: Sequence[int], results: list) -> dict:
    """Compute mmseg's metrics with areas of 0 for the other classes, which its means leave out."""

    def only(area: torch.Tensor) -> torch.Tensor:
        kept = torch.zeros_like(area)
        kept[list(labels)] = area[list(labels)]
        return kept

    return compute([tuple(map(only, areas)) for areas in results])


def _remove_objects(metric: BaseMetric, labels: Sequence[int], names: Sequence[str]) -> None:
    """Remove the objects of other classes from COCO's ground truth, so that its mean leaves the classes out."""
    coco = metric._coco_api
    categories = coco.get_cat_ids(cat_names=names)
    kept = {categories[label] for label in labels}
    coco.dataset['annotations'] = [entry for entry in coco.dataset['annotations'] if entry['category_id'] in kept]
    coco.createIndex()
