"""What makes a run fast and needs no entry in a config: pinned memory, and ``--compile``."""

from typing import Any

import torch
from mmengine.config import Config
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from ..compat.cpu_ranks import AnyDeviceRunner
from ..errors import SR4IRError
from ..models.compilation import compile_networks
from ..utils import unwrap


class FastRunner(AnyDeviceRunner):
    """MMEngine's Runner with the fast defaults of this package.

    With a GPU, data loaders whose config does not say ``pin_memory`` pin their batches, which lets the next batch be
    copied during an iteration. The entry ``compile`` of a config, True or arguments of ``torch.compile``, compiles
    the networks. MMEngine would compile the whole iteration, with its hooks, losses and samplers.

    Example:
        >>> FastRunner.from_cfg(cfg).test()
    """

    @staticmethod
    def build_dataloader(dataloader: DataLoader | dict, *args: Any, **kwargs: Any) -> DataLoader:
        """Build a data loader as MMEngine does."""
        if isinstance(dataloader, dict) and torch.cuda.is_available():
            dataloader = {'pin_memory': True, **dataloader}
        return Runner.build_dataloader(dataloader, *args, **kwargs)

    def wrap_model(self, model_wrapper_cfg: dict | Config | None, model: nn.Module) -> nn.Module:
        """Wrap the model, then compile its networks if the config asks for it.

        Raises:
            SR4IRError: If ``compile`` is neither a bool nor a dict.
        """
        options = self.cfg.get('compile')
        if not isinstance(options, (bool, dict, type(None))):
            raise SR4IRError(
                f'compile={options!r} is wrong: set True, or arguments of torch.compile such as dict(mode=...).'
            )
        model = super().wrap_model(model_wrapper_cfg, model)
        if options or options == {}:
            parts = compile_networks(unwrap(model), **(options if isinstance(options, dict) else {}))
            self.logger.info(f'Compiled with the first iterations, which take minutes: {", ".join(parts)}')
        return model

    def _maybe_compile(self, target: str) -> None:
        """Do nothing: the networks are compiled when they are wrapped."""
