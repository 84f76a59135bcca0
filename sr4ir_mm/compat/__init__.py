"""Code that exists only because of a version of another package.

Each module names the package and the version, and the condition under which the module can go. The folder can go when
it is empty.
"""

from ..utils.renamed import redirect_moved_modules
from .checkpoints import allow_mmengine_checkpoints
from .mmcv_ops import MissingOpError, install_mmcv_fallback
from .numpy2 import restore_bool8
from .scopes import register_scope

__all__ = ['MissingOpError', 'apply']


def apply() -> None:
    """Make the installed OpenMMLab stack usable.

    ``import sr4ir_mm`` calls it once; another call changes nothing. It is cheap: it imports torch and mmengine, but
    not mmcv, torchvision or a zoo.
    """
    restore_bool8()
    install_mmcv_fallback()
    register_scope()
    allow_mmengine_checkpoints()
    redirect_moved_modules()
