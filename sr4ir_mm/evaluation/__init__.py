"""Metrics."""

from .coco_metric import CocoMetric
from .dump_predictions import DumpPredictions
from .sr_quality import SRQuality

__all__ = ['CocoMetric', 'DumpPredictions', 'SRQuality']
