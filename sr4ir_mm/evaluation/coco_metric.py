"""COCO's average precision."""

from mmdet.evaluation import CocoMetric

from ..registry import METRICS


@METRICS.register_module()
class ZeroFillCocoMetric(CocoMetric):
    """mmdet's metric of this name, in which a detector that finds nothing scores 0; arguments as in mmdet.

    mmdet gives no score then, as at the first validation of a short run, and ``save_best`` fails.
    """

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Average precision of boxes ('bbox_mAP', 'bbox_mAP_50', ...) and of masks, as far as asked for."""
        metrics = super().compute_metrics(results)
        if metrics or self.format_only:
            return metrics
        items = self.metric_items or ('mAP', 'mAP_50', 'mAP_75', 'mAP_s', 'mAP_m', 'mAP_l')
        return {f'{kind}_{item}': 0.0 for kind in self.metrics for item in items}
