"""Mixed precision as an option of a tool."""

import torch
from mmengine.config import Config

from ..errors import SR4IRError
from .nodes import type_name


def enable_amp(cfg: Config) -> None:
    """Use mixed precision for every network: float16 with loss scaling on a GPU, bfloat16 on a CPU.

    A network whose ``optim_wrapper`` already asks for mixed precision keeps its settings.

    Raises:
        SR4IRError: If an ``optim_wrapper`` is of a type that cannot be replaced.
    """
    for name in ('sr', 'task'):
        part = cfg.optim_wrapper.get(name)
        kind = type_name(part.get('type', 'OptimWrapper')) if part else 'Amp'
        if 'Amp' in kind:
            continue
        if kind != 'OptimWrapper':
            raise SR4IRError(
                f"--amp cannot replace optim_wrapper.{name}.type='{part.type}'. Set it to 'OptimWrapper', or leave out "
                '--amp.'
            )
        part.type = 'sr4ir_mm.AnyDeviceAmpOptimWrapper'
        if not torch.cuda.is_available():
            part.dtype = 'bfloat16'
