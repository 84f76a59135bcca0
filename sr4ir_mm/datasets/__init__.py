"""Data sets, and how batches are drawn from them."""

from .aspect_ratio import AspectRatioBatchSampler
from .voc import VOCDataset

__all__ = ['AspectRatioBatchSampler', 'VOCDataset']
