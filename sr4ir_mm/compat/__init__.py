"""Everything that exists only because of a version of somebody else's package.

Each module says which package and version it is for and when it can go.
"""

from .mmcv_ops import MissingOpError, install_mmcv_fallback

__all__ = ['MissingOpError', 'apply']


def apply() -> None:
    """Make the installed OpenMMLab stack usable.

    Called once when ``sr4ir_mm`` is imported; calling it again changes nothing. Cheap: none of mmcv, torchvision,
    mmseg, mmdet, mmpretrain and mmagic is imported here.
    """
    install_mmcv_fallback()
