"""Transforms of images and of batches."""

from ..utils.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
