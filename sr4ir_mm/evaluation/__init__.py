"""Metrics, and the test on LR images."""

from .coco_metric import CocoMetric
from .dump_predictions import DumpPredictions
from .lr_test_loop import LRTestLoop, collate_list
from .sr_quality import SRQuality

__all__ = ['CocoMetric', 'DumpPredictions', 'LRTestLoop', 'SRQuality', 'collate_list']
