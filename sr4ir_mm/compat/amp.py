"""Mixed precision on a CPU.

MMEngine 0.10.7's ``AmpOptimWrapper`` asserts that there is a GPU, though torch casts to bfloat16 on a CPU as well.
This can go when MMEngine drops the assertion.
"""

from typing import Any

import torch
from mmengine.device import get_device
from mmengine.optim import AmpOptimWrapper as MMEngineAmpOptimWrapper
from mmengine.optim import OptimWrapper
from mmengine.optim.optimizer.amp_optimizer_wrapper import GradScaler

from ..errors import SR4IRError
from ..registry import OPTIM_WRAPPERS

__all__ = ['AnyDeviceAmpOptimWrapper']


@OPTIM_WRAPPERS.register_module()
class AnyDeviceAmpOptimWrapper(MMEngineAmpOptimWrapper):
    """MMEngine's ``AmpOptimWrapper``, which also works on a machine that has a CPU only.

    With a GPU it is MMEngine's own, unchanged. On a CPU it casts to bfloat16, whose range is that of float32, so that
    the loss is not scaled.

    Args:
        loss_scale: As in MMEngine; unused on a CPU.
        dtype: As in MMEngine; on a CPU ``'bfloat16'``, which is also what None means there.
        use_fsdp: As in MMEngine; unused on a CPU.
        **kwargs: Those of MMEngine's ``OptimWrapper``.

    Raises:
        SR4IRError: If there is only a CPU and another ``dtype`` is asked for.
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
            raise SR4IRError(f"AmpOptimWrapper: dtype {dtype} needs a GPU; on a CPU set dtype='bfloat16'")
        OptimWrapper.__init__(self, **kwargs)  # not super(), which holds the assertion
        self._scale_update_param = None
        self.loss_scaler = GradScaler(enabled=False)
        self.cast_dtype = torch.bfloat16
