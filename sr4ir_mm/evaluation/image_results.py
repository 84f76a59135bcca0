"""What the metrics of the zoos measure on each image of a test, for paired statistics."""

import contextlib
import io
import math
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.fileio import load
from mmengine.logging import print_log

#: detections of an image and class that COCO's mAP counts, the best ones
MAX_DETECTIONS = 100
Arrays = dict[str, np.ndarray]


class ImageNames(BaseMetric):
    """Metric that measures nothing, and collects the paths of the images in the order of the other metrics' results.

    Example:
        >>> evaluator.metrics.append(ImageNames(prefix='images'))
    """

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the path of each data sample; its number where it has none."""
        for sample in data_samples:
            self.results.append(str(sample.get('img_path', len(self.results))))

    def compute_metrics(self, results: list[str]) -> dict:
        """Keep the names of all processes."""
        self.names = results
        return {}


def image_results(metric: BaseMetric, results: list) -> Arrays:
    """Return the results of a metric for each image as arrays that are named '<metric>.<array>'.

    ===================  =============================================================================================
    metric               arrays for I images, C classes, D detections and T thresholds of the overlap
    ===================  =============================================================================================
    'accuracy/top1'      ``correct`` (I)
    'mIoU'               ``intersection`` and ``union`` in pixels (I x C)
    'coco/bbox_mAP'      ``image``, ``label`` and ``score`` of the detections (D), whether each is ``matched`` with an
                         object and whether it is ``ignored`` (D x T), and the number of ``objects`` (I x C)
    'coco/segm_mAP'      the same, of masks
    'sr/PSNR', ...       ``value`` (I), nan where nothing was measured
    ===================  =============================================================================================

    Args:
        metric (BaseMetric): Metric of mmpretrain, mmseg or mmdet, or :class:`SRQuality`, which has made its own
            computation. Others have no arrays.
        results (list): Its results for each image, of all processes.
    """
    readers = dict(Accuracy=_accuracy, IoUMetric=_overlap, CocoMetric=_detections, SRQuality=_quality)
    reader = next((readers[base.__name__] for base in type(metric).__mro__ if base.__name__ in readers), None)
    prefix = f'{metric.prefix}/' if metric.prefix else ''
    return {f'{prefix}{name}': array for name, array in reader(metric, results).items()} if reader and results else {}


def _accuracy(metric: Any, results: list[dict]) -> Arrays:
    correct = [_is_correct(metric, result) for result in results]
    return {'top1.correct': np.array(correct)}


def _is_correct(metric: Any, result: dict) -> bool:
    if 'pred_score' not in result:
        return bool(metric.calculate(result['pred_label'], result['gt_label']) > 0)
    ((share,),) = metric.calculate(result['pred_score'][None], result['gt_label'], (1,), metric.thrs[:1])
    return bool(share > 0)


def _overlap(metric: Any, results: list[tuple]) -> Arrays:
    if 'mIoU' not in metric.metrics:
        return {}
    intersection, union = (np.stack([result[i].numpy() for result in results]).astype(np.int64) for i in (0, 1))
    return {'mIoU.intersection': intersection, 'mIoU.union': union}


def _quality(metric: Any, results: list[dict]) -> Arrays:
    values = {name: [result[name] for result in results] for name in metric.metrics}
    return {f'{name}.value': np.array([math.nan if v is None else v for v in values[name]]) for name in values}


def _detections(metric: Any, results: list[tuple]) -> Arrays:
    """Match detections and objects once more, as the metric has done it: it does not keep the matches."""
    place = {gt['img_id']: i for i, (gt, _) in enumerate(results)}
    if metric.format_only or set(metric.img_ids) != set(place):
        print_log("COCO's metric also counts images that were not tested: no results of each image", 'current')
        return {}
    arrays: Arrays = {}
    for kind in (kind for kind in metric.metrics if kind in ('bbox', 'segm')):
        evaluation = _evaluate(metric, [prediction for _, prediction in results], kind)
        tables = _tables(evaluation, place, {category: label for label, category in enumerate(metric.cat_ids)})
        arrays |= {f'{kind}_mAP.{name}': array for name, array in tables.items()}
    return arrays


def _evaluate(metric: Any, predictions: list[dict], kind: str) -> Any:
    from mmdet.datasets.api_wrappers import COCO, COCOeval

    with TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        found = load(metric.results2json(predictions, str(Path(folder) / 'results'))[kind])
        for entry in found if kind == 'segm' else ():
            entry.pop('bbox')  # as the metric does
        evaluation = COCOeval(metric._coco_api, metric._coco_api.loadRes(found) if found else COCO(), kind)
        params = evaluation.params
        params.catIds, params.imgIds, params.iouThrs = metric.cat_ids, metric.img_ids, metric.iou_thrs
        params.maxDets, params.areaRng, params.areaRngLbl = [MAX_DETECTIONS], params.areaRng[:1], ['all']
        evaluation.evaluate()
    return evaluation


def _tables(evaluation: Any, place: dict[Any, int], labels: dict[int, int]) -> Arrays:
    """Return the arrays of all images; rows keep the order of the evaluation, which decides between equal scores."""
    objects = np.zeros((len(place), len(labels)), np.int64)
    none = np.zeros((0, len(evaluation.params.iouThrs)), bool)
    parts = [dict(image=np.zeros(0, int), label=np.zeros(0, int), score=np.zeros(0), matched=none, ignored=none)]
    for entry in filter(None, evaluation.evalImgs):
        image, label = place[entry['image_id']], labels[entry['category_id']]
        objects[image, label] = np.count_nonzero(np.asarray(entry['gtIgnore']) == 0)
        scores = np.array(entry['dtScores'])
        parts.append(
            dict(image=np.full(len(scores), image), label=np.full(len(scores), label), score=scores,
                 matched=entry['dtMatches'].T > 0, ignored=entry['dtIgnore'].T > 0)
        )  # fmt: skip
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} | dict(objects=objects)
