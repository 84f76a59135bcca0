"""Replace ``mmcv._ext`` by torchvision and plain PyTorch where mmcv 2.1.0 has no compiled ops (mmcv-lite).

``import mmseg`` and ``import mmdet`` import ``mmcv.ops``, which needs ``mmcv._ext``. Prebuilt wheels of the full mmcv
exist only for old releases of torch, so most people can install only mmcv-lite.
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

#: module of sr4ir_mm.compat.ops -> the functions of mmcv._ext that it implements, by mmcv's names
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
    """The error of a call of an op that only the compiled mmcv has.

    Args:
        op (str): Name of the function in ``mmcv._ext``.
        why (str): Reason; for an op that has a fallback, the unsupported argument.

    Example:
        >>> raise MissingOpError('roi_align_forward', "pool_mode='max'")
    """

    def __init__(self, op: str, why: str = 'it has no exact equivalent in torchvision or PyTorch') -> None:
        super().__init__(
            f"mmcv's op '{op}' is not available: the installed mmcv has no compiled ops, and sr4ir_mm has no fallback "
            f'for this call ({why}). Install the full mmcv: mim install "mmcv==2.1.0"'
        )


class FallbackExtension(ModuleType):
    """A module in place of the compiled ``mmcv._ext``: every name is a function, which is looked up on first use."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith('__'):
            # Python itself looks for names such as __path__ and __wrapped__, which must be missing
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
    """Import hook for ``mmcv._ext``, the last one in ``sys.meta_path``.

    Python calls it only if all others find nothing. So a compiled extension always comes first, and a broken one raises
    its own error.
    """

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> 'ModuleSpec | None':
        """Return the spec of the fallback for ``mmcv._ext``, and None for all other modules."""
        return ModuleSpec(EXTENSION, self, origin=__file__) if fullname == EXTENSION else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return an empty :class:`FallbackExtension`."""
        return FallbackExtension(spec.name, __doc__)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: the module looks its names up on first use."""


def install_mmcv_fallback() -> None:
    """Append the import hook for ``mmcv._ext``, once per process."""
    if not any(isinstance(finder, FallbackFinder) for finder in sys.meta_path):
        sys.meta_path.append(FallbackFinder())


def ops_provider() -> str:
    """Return the origin of mmcv's ops without importing them.

    Returns:
        str: 'compiled', 'fallback', or 'none' if mmcv is not installed or the import hook is not in place.
    """
    if importlib.util.find_spec('mmcv') is None:
        return 'none'
    spec = importlib.util.find_spec(EXTENSION)
    if spec is None:
        return 'none'
    return 'fallback' if isinstance(spec.loader, FallbackFinder) else 'compiled'
