"""Scores of COCO's metric for a detector that finds nothing; without mmdet, which takes seconds to import."""

from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log


def scores_or_zeros(metric: BaseMetric, scores: dict[str, float]) -> dict[str, float]:
    """Return the scores of mmdet's ``CocoMetric``, or zeros: mmdet returns nothing if a detector finds nothing.

    Args:
        metric (BaseMetric): The metric.
        scores (dict[str, float]): What it has computed.
    """
    if scores or metric.format_only:
        return scores
    print_log('The detector has found nothing: each score counts as 0', 'current')
    items = metric.metric_items or ('mAP', 'mAP_50', 'mAP_75', 'mAP_s', 'mAP_m', 'mAP_l')
    return {f'{kind}_{item}': 0.0 for kind in metric.metrics for item in items}
