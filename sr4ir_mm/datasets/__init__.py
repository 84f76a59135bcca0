"""Data sets, and samplers that form batches of their images."""

from ..utils.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
