"""Transforms on batches of images."""

from .cqmix import CQMix

__all__ = ['CQMix']
