"""Distributed runs on a machine without a GPU.

MMEngine 0.10.7 sets the CUDA device of every process, and gives DistributedDataParallel a number of a GPU. Here
processes without an accelerator are connected by gloo.
This can go when MMEngine's ``init_dist`` does not call ``torch.cuda.set_device`` for the backend 'gloo'.
"""

import os
from datetime import timedelta

import torch.distributed
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import is_distributed
from mmengine.runner import Runner
from torch import nn


class AnyDeviceRunner(Runner):
    """MMEngine's Runner, whose ``launcher='pytorch'`` or ``'slurm'`` also works without a GPU.

    Example:
        >>> AnyDeviceRunner.from_cfg(cfg).test()  # in processes of torchrun
    """

    def setup_env(self, env_cfg: dict) -> None:
        """Connect the processes, then set up as MMEngine does."""
        if self.distributed and not is_distributed() and get_device() == 'cpu':
            if self._launcher == 'slurm':
                _set_variables_of_torchrun()
            seconds = env_cfg.get('dist_cfg', {}).get('timeout')
            torch.distributed.init_process_group('gloo', timeout=timedelta(seconds=seconds) if seconds else None)
        super().setup_env(env_cfg)

    def wrap_model(self, model_wrapper_cfg: dict | Config | None, model: nn.Module) -> nn.Module:
        """Wrap the model; one on the CPU has no device of its own."""
        if self.distributed and get_device() == 'cpu':
            os.environ.setdefault('LOCAL_RANK', '0')
            model_wrapper_cfg = {'type': 'MMDistributedDataParallel', **(model_wrapper_cfg or {}), 'device_ids': None}
        return super().wrap_model(model_wrapper_cfg, model)


def _set_variables_of_torchrun() -> None:
    names = dict(RANK='SLURM_PROCID', LOCAL_RANK='SLURM_LOCALID', WORLD_SIZE='SLURM_NTASKS')
    os.environ.update({name: os.environ[slurm] for name, slurm in names.items()})
    os.environ.setdefault('MASTER_PORT', '29500')
    os.environ.setdefault('MASTER_ADDR', os.environ.get('SLURM_LAUNCH_NODE_IPADDR', '127.0.0.1'))
