"""Facts about the extension that ``mmengine.utils.dl_utils.collect_env`` collects.

It can go together with ``compat/mmcv_ops.py``.
"""


def get_compiler_version() -> str:
    """Return a text in place of the version of the compiler."""
    return 'none (fallback of sr4ir_mm)'


def get_compiling_cuda_version() -> str:
    """Return mmcv's text for 'built without CUDA'."""
    return 'not available'
