"""Configs: load, check, mix and build them, and find them in work dirs."""

from ..utils.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
