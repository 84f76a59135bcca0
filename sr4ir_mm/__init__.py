"""SR4IR for OpenMMLab: super-resolution trained for recognition (CVPR 2024, arXiv 2404.01692)."""

import importlib
from typing import Any

from .compat import apply as _apply_compat
from .version import __version__

_apply_compat()

# Names are resolved on first use, so that `import sr4ir_mm` (which every config lookup and `mim` call does) stays
# cheap and does not import four zoos.
_LAZY = {
    'SR4IR': 'models',
    'SRDataPreprocessor': 'models',
    'BicubicDegradation': 'models',
    'TDPLoss': 'models',
    'CQMix': 'transforms',
    'AlternatingUpdateHook': 'engine',
    'SRQuality': 'evaluation',
    'SR4IRInferencer': 'apis.inferencer',
    'mix': 'apis.mixing',
}
__all__ = ['__version__', *_LAZY]


def __getattr__(name: str) -> Any:
    """Import a public class on first use (PEP 562)."""
    if name not in _LAZY:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(importlib.import_module(f'.{_LAZY[name]}', __name__), name)
