"""What COCO's metric prints, and its scores for a detector that finds nothing; without mmdet, a slow import."""

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

#: start of the message with what pycocotools has printed
OUTPUT = 'COCO evaluation:\n'


@contextmanager
def output_in_log() -> Iterator[None]:
    """Return a context in which what pycocotools prints, its table of scores in the end, goes to the log."""
    stream = io.StringIO()
    try:
        with redirect_stdout(stream):
            yield
    finally:  # the text may say why the metric has failed
        if text := stream.getvalue():
            print_log(OUTPUT + text, 'current')


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
