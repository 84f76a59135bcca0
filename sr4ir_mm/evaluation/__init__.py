"""Metrics."""

from .dump_predictions import DumpPredictions
from .sr_quality import SRQuality

__all__ = ['DumpPredictions', 'SRQuality']
