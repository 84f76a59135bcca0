"""Serve ``mmcv._ext`` from torchvision and plain PyTorch where mmcv has no compiled ops (mmcv-lite).

mmseg and mmdet import ``mmcv.ops`` when they are imported, and that needs ``mmcv._ext``. Prebuilt wheels of the full
mmcv exist only for old releases of torch, so mmcv-lite is what most people can install.
This can go when mmcv publishes wheels for current torch, or makes its ops optional.
"""

import importlib
import importlib.util
import sys
from collections.abc import Callable
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn

EXTENSION = 'mmcv._ext'

# Module of sr4ir_mm.compat.ops -> the functions of mmcv._ext that it implements, under mmcv's own names.
IMPLEMENTATIONS = {
    'nms': ('nms', 'softnms', 'nms_match'),
    'boxes': ('bbox_overlaps',),
    'roi': ('roi_align_forward', 'roi_align_backward', 'roi_pool_forward', 'roi_pool_backward'),
    'deform': (
        'deform_conv_forward', 'deform_conv_backward_input', 'deform_conv_backward_parameters',
        'modulated_deform_conv_forward', 'modulated_deform_conv_backward',
    ),
    'attention': ('ms_deform_attn_forward', 'ms_deform_attn_backward'),
    'losses': (
        'sigmoid_focal_loss_forward', 'sigmoid_focal_loss_backward',
        'softmax_focal_loss_forward', 'softmax_focal_loss_backward',
    ),
    'masks': ('psamask_forward', 'psamask_backward', 'masked_im2col_forward', 'masked_col2im_forward'),
    'carafe': ('carafe_naive_forward', 'carafe_naive_backward', 'carafe_forward', 'carafe_backward'),
    'stylegan': ('fused_bias_leakyrelu', 'upfirdn2d'),
    'info': ('get_compiler_version', 'get_compiling_cuda_version'),
}  # fmt: skip
SERVED = {op: module for module, ops in IMPLEMENTATIONS.items() for op in ops}


class MissingOpError(NotImplementedError):
    """An op of mmcv was called that only the compiled mmcv has.

    Args:
        op: Name of the function in ``mmcv._ext``.
        why: What about this call is not served, for an op that otherwise is.
    """

    def __init__(self, op: str, why: str = 'it has no exact equivalent in torchvision or PyTorch') -> None:
        super().__init__(
            f"mmcv's op '{op}' is not available: mmcv has no compiled ops here and sr4ir_mm's fallback does not serve "
            f'this one ({why}). Install the full mmcv: mim install "mmcv==2.1.0"'
        )


class FallbackExtension(ModuleType):
    """Stands in for the compiled module ``mmcv._ext``: any name is a function, resolved when first looked up."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith('__'):
            # Python's own machinery asks for names such as __path__ and __wrapped__, which must stay absent.
            raise AttributeError(f'module {self.__name__!r} has no attribute {name!r}')
        if name in SERVED:
            function = getattr(importlib.import_module(f'sr4ir_mm.compat.ops.{SERVED[name]}'), name)
        else:
            function = _missing(name)
        setattr(self, name, function)
        return function


def _missing(op: str) -> Callable[..., NoReturn]:
    def missing_op(*args: Any, **kwargs: Any) -> NoReturn:
        raise MissingOpError(op)

    missing_op.__name__ = op
    return missing_op


class FallbackFinder(MetaPathFinder, Loader):
    """Import hook for ``mmcv._ext``, to stand last in ``sys.meta_path``.

    Python asks it only after all others have found nothing. So a compiled extension always wins, and one that is there
    but broken raises its own error.
    """

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> 'ModuleSpec | None':
        """Return the spec of the fallback for ``mmcv._ext`` and None for all else."""
        return ModuleSpec(EXTENSION, self, origin=__file__) if fullname == EXTENSION else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return an empty :class:`FallbackExtension`."""
        return FallbackExtension(spec.name, __doc__)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: names are resolved when they are looked up."""


def install_mmcv_fallback() -> None:
    """Append the import hook for ``mmcv._ext``, once per process."""
    if not any(isinstance(finder, FallbackFinder) for finder in sys.meta_path):
        sys.meta_path.append(FallbackFinder())


def ops_provider() -> str:
    """Tell where mmcv's ops come from, without importing them.

    Returns:
        ``'compiled'``, ``'fallback'``, or ``'none'`` when mmcv is not installed or the import hook not in place.
    """
    if importlib.util.find_spec('mmcv') is None:
        return 'none'
    spec = importlib.util.find_spec(EXTENSION)
    if spec is None:
        return 'none'
    return 'fallback' if isinstance(spec.loader, FallbackFinder) else 'compiled'
