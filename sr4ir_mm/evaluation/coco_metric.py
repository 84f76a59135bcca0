"""COCO's average precision."""

from mmdet.evaluation import CocoMetric as _CocoMetric

from ..registry import METRICS
from .coco_scores import output_in_log, scores_or_zeros


@METRICS.register_module()
class ZeroFillCocoMetric(_CocoMetric):
    """mmdet's ``CocoMetric`` in which a detector that finds nothing scores 0; arguments as in mmdet.

    mmdet returns no score in this case, which happens at the first validation of a short run, and ``save_best`` fails.
    The table that pycocotools prints is in the log file, too.

    Example:
        >>> val_evaluator = [dict(type='sr4ir_mm.ZeroFillCocoMetric', metric='bbox')]
    """

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Return the average precision of boxes ('bbox_mAP', 'bbox_mAP_50', ...) and masks, those of ``metric``."""
        with output_in_log():
            scores = super().compute_metrics(results)
        return scores_or_zeros(self, scores)
