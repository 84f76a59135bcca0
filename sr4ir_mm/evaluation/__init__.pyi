from .coco_metric import ZeroFillCocoMetric as ZeroFillCocoMetric
from .dump_predictions import DumpPredictions as DumpPredictions
from .sr_quality import SRQuality as SRQuality
