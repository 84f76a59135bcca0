"""Let OpenMMLab's packages work with NumPy 2.

Each function can go when the package that it names no longer needs it.
"""

import inspect
from types import ModuleType

import numpy as np

from .import_hooks import Run


def restore_removed_names() -> None:
    """Restore ``np.bool8``, which mmagic 1.2.0 uses, and ``np.in1d``, which mmpretrain 1.2.0 uses."""
    for name, function in dict(bool8=np.bool_, in1d=_in1d).items():
        if name not in vars(np):
            setattr(np, name, function)


def _in1d(values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    return np.isin(values, wanted).ravel()


def wrap_negative_hue(photometric: ModuleType, run: Run) -> None:
    """Let ``mmcv.image.adjust_hue`` (mmcv 2.1.0) shift a hue down: NumPy 2 refuses ``np.uint8(-1)``, once 255."""
    run(photometric)
    old, new = 'np.uint8(hue_factor * 255)', 'np.uint8(int(hue_factor * 255) % 256)'
    source = inspect.getsource(photometric.adjust_hue).replace(old, new)
    changed: dict = {}
    exec(compile(source, photometric.__file__, 'exec'), vars(photometric), changed)
    photometric.adjust_hue.__code__ = changed['adjust_hue'].__code__
