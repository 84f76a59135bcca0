"""Logs of runs, and the cost of networks."""

from ..utils.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
