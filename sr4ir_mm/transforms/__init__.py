"""Transforms of images and of batches."""

from .cqmix import CQMix
from .loading import LoadImageFromFile

__all__ = ['CQMix', 'LoadImageFromFile']
