"""Everything that exists only because of a version of somebody else's package.

Each module says which package and version it is for and when it can go.
"""

from .checkpoints import allow_mmengine_checkpoints
from .mmcv_ops import MissingOpError, install_mmcv_fallback
from .numpy2 import restore_bool8
from .renamed import redirect_moved_modules
from .scopes import register_scope

__all__ = ['MissingOpError', 'apply']


def apply() -> None:
    """Make the installed OpenMMLab stack usable.

    Called once when ``sr4ir_mm`` is imported; calling it again changes nothing. Cheap: beyond torch and mmengine
    nothing is imported here, not mmcv, torchvision or a zoo.
    """
    restore_bool8()
    install_mmcv_fallback()
    register_scope()
    allow_mmengine_checkpoints()
    redirect_moved_modules()
