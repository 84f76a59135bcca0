"""Mixed precision on a CPU.

MMEngine 0.10.7's ``AmpOptimWrapper`` asserts that a GPU is present, although torch casts to bfloat16 on a CPU too.
This can go when MMEngine removes the assertion.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.optim import AmpOptimWrapper as MMEngineAmpOptimWrapper
from mmengine.optim import OptimWrapper
from torch import nn

from ..errors import SR4IRError
from ..registry import OPTIM_WRAPPERS
from .depthwise import FullDepthwise

__all__ = ['AnyDeviceAmpOptimWrapper', 'grad_scaler']


def grad_scaler(enabled: bool) -> 'torch.amp.GradScaler':
    """Return PyTorch's scaler of losses; ``torch.amp`` has it from torch 2.3 on."""
    return getattr(torch.amp, 'GradScaler', torch.cuda.amp.GradScaler)(enabled=enabled)


@OPTIM_WRAPPERS.register_module()
class AnyDeviceAmpOptimWrapper(MMEngineAmpOptimWrapper):
    """MMEngine's ``AmpOptimWrapper`` that also works on a machine without a GPU.

    With a GPU it is MMEngine's, unchanged. On a CPU it casts to bfloat16, but for depthwise convolutions. The loss is
    not scaled there, because bfloat16 has the range of float32.

    Args:
        loss_scale (str | float | dict): Loss scale as in MMEngine; unused on a CPU.
        dtype (str | torch.dtype, optional): Type of the casts as in MMEngine; on a CPU only 'bfloat16', the default.
        use_fsdp (bool): Switch as in MMEngine; unused on a CPU.
        **kwargs: Arguments of MMEngine's ``OptimWrapper``.

    Raises:
        SR4IRError: If the machine has only a CPU and ``dtype`` is another type.

    Example:
        >>> part = dict(type='sr4ir_mm.AnyDeviceAmpOptimWrapper', dtype='bfloat16')
        >>> optim_wrapper = dict(sr=dict(part, optimizer=dict(type='AdamW', lr=1e-4)),
        ...                      task=dict(part, optimizer=dict(type='SGD', lr=0.01)))
    """

    def __init__(
        self,
        loss_scale: str | float | dict = 'dynamic',
        dtype: str | torch.dtype | None = None,
        use_fsdp: bool = False,
        **kwargs: Any,
    ) -> None:
        if get_device() != 'cpu':
            super().__init__(loss_scale=loss_scale, dtype=dtype, use_fsdp=use_fsdp, **kwargs)
            return
        if dtype not in (None, 'bfloat16', torch.bfloat16):
            raise SR4IRError(f"AnyDeviceAmpOptimWrapper: dtype {dtype} needs a GPU. On a CPU, set dtype='bfloat16'.")
        OptimWrapper.__init__(self, **kwargs)  # super() is the class with the assertion
        self._scale_update_param = None
        self.loss_scaler = grad_scaler(enabled=False)
        self.cast_dtype = torch.bfloat16

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Enter mixed precision, as MMEngine's wrapper does."""
        with super().optim_context(model), FullDepthwise() if get_device() == 'cpu' else nullcontext():
            yield
