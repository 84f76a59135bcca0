"""Metrics."""

from .sr_quality import SRQuality

__all__ = ['SRQuality']
