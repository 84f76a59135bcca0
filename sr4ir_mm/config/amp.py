"""Mixed precision as an option of a tool."""

import torch
from mmengine.config import Config

from ..compat.fast_types import fast_type
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


def enable_test_amp(cfg: Config) -> None:
    """Test in mixed precision, which MMEngine's test loops have as an option; metrics stay in float32."""
    cfg.test_cfg = {**(cfg.get('test_cfg') or {}), 'fp16': True}


def amp_advice(cfg: Config) -> str:
    """Return one line for a training that --amp would change, on a machine that is made for it, or ''."""
    parts = filter(None, (cfg.optim_wrapper.get(name) for name in ('sr', 'task')))
    kinds = {type_name(part.get('type', 'OptimWrapper')) for part in parts}
    if kinds != {'OptimWrapper'} or not (kind := fast_type()):
        return ''
    return f'This machine computes fast in {kind}: with --amp, this training would take less time and memory.'
