"""What ``mmengine.utils.dl_utils.collect_env`` asks the extension about itself."""


def get_compiler_version() -> str:
    """Return a text in place of the compiler's version."""
    return 'none (fallback of sr4ir_mm)'


def get_compiling_cuda_version() -> str:
    """Return mmcv's own text for 'built without CUDA'."""
    return 'not available'
