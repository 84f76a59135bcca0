"""SR4IR for OpenMMLab: super-resolution trained for recognition (CVPR 2024, arXiv 2404.01692)."""

from .compat import apply as _apply_compat
from .utils.lazy import attach as _attach

_apply_compat()
from . import registry as _registry  # noqa: E402, F401  installs the checks of data sets

__getattr__, __dir__, __all__ = _attach(__name__, __file__)
