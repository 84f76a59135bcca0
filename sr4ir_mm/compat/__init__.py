"""Code that exists only because of a version of another package.

Each module names the package and the version, and the condition under which the module can go. The folder can go when
it is empty.
"""

from ..utils.renamed import redirect_moved_modules
from . import (
    atomic_files,
    checkpoints,
    data_files,
    default_hooks,
    mmagic_models,
    numpy2,
    op_layouts,
    stored_configs,
    strided_convs,
    text_models,
)
from .import_hooks import change_on_import
from .mmcv_ops import MissingOpError, install_mmcv_fallback
from .quiet import hide_notes
from .scopes import register_scope

__all__ = ['MissingOpError', 'apply']

CHANGES = {
    **dict.fromkeys(mmagic_models.PACKAGES, mmagic_models.import_on_use),
    'mmcv.image.photometric': numpy2.wrap_negative_hue,
    'mmcv.ops': op_layouts.make_contiguous,
    'mmagic.registry': mmagic_models.register_on_use,
    'mmengine.hooks.checkpoint_hook': atomic_files.delete_after_saving,
    'mmengine.infer.infer': stored_configs.read_without_running,
    'mmengine.runner.checkpoint': checkpoints.load_safely,
    'mmengine.runner.runner': default_hooks.leave_out_hooks_of_none,
    'mmpretrain.utils.dependency': text_models.leave_out_text_models,
    'transformers.modeling_utils': text_models.say_that_torch_is_too_old,
}


def apply() -> None:
    """Make the installed OpenMMLab stack usable.

    ``import sr4ir_mm`` calls it once; another call changes nothing. It is cheap: it imports torch and mmengine, but
    not mmcv, torchvision or a zoo.
    """
    hide_notes()
    numpy2.restore_removed_names()
    install_mmcv_fallback()
    change_on_import(CHANGES)
    register_scope()
    checkpoints.allow_mmengine_checkpoints()
    checkpoints.load_downloads_safely()
    data_files.read_as_data()
    atomic_files.write_files_whole()
    strided_convs.select_pixels_first()
    redirect_moved_modules()
