"""Transforms of images and of batches."""

from ..models.cqmix import CQMix
from .loading import CheckedLoadImageFromFile

__all__ = ['CQMix', 'CheckedLoadImageFromFile']
