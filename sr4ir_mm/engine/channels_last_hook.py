"""The old way to choose the memory format, which goes with 0.2."""

import warnings

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ..registry import HOOKS


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Hook that converts the model to ``torch.channels_last``; now ``model.channels_last=True`` does so."""

    def before_run(self, runner: Runner) -> None:
        """Convert the model before weights are loaded into it."""
        warnings.warn('Instead of ChannelsLastHook, set model.channels_last=True.', FutureWarning, stacklevel=2)
        runner.model.to(memory_format=torch.channels_last)
