"""How training runs: optimizers, schedules, hooks."""

from .alternating_hook import AlternatingUpdateHook
from .class_check_hook import ClassCheckHook
from .optim_constructor import SR4IROptimWrapperConstructor
from .runtime_info_hook import RuntimeInfoHook
from .schedulers import CosineRestartLR
from .seeding import worker_init_fn
from .visualization_hook import SRVisualizationHook

__all__ = [
    'AlternatingUpdateHook',
    'ClassCheckHook',
    'CosineRestartLR',
    'RuntimeInfoHook',
    'SR4IROptimWrapperConstructor',
    'SRVisualizationHook',
    'worker_init_fn',
]
