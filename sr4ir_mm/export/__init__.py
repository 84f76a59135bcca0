"""Export of networks to files that run without OpenMMLab."""

from ..utils.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
