"""How training runs: optimizers, schedules, hooks."""

from .alternating_hook import AlternatingUpdateHook
from .channels_last_hook import ChannelsLastHook
from .class_check_hook import ClassCheckHook
from .optim_constructor import SR4IROptimWrapperConstructor
from .runtime_info_hook import RuntimeInfoHook
from .schedulers import CosineRestartLR, WarmUpLR
from .seeding import worker_init_fn
from .visualization_hook import SRVisualizationHook

__all__ = [
    'AlternatingUpdateHook',
    'ChannelsLastHook',
    'ClassCheckHook',
    'CosineRestartLR',
    'RuntimeInfoHook',
    'SR4IROptimWrapperConstructor',
    'SRVisualizationHook',
    'WarmUpLR',
    'worker_init_fn',
]
