"""The forward and backward passes that SR4IR needs, in plain PyTorch."""

from functools import partial

import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from torch import Tensor

from ...compat.amp import grad_scaler
from ...errors import SR4IRError
from ...models import SR4IR
from ...models.scheme import SCHEMES
from ...utils import mixed_precision
from .floor_features import Features
from .floor_nets import normalization, plain_task


class Floor:
    """An iteration of SR4IR without any check, log or choice: what no program with these networks can go below.

    The networks, the TDP loss and CQMix are the modules of the model; networks of torchvision are called without their
    adapters. The batch is prepared once, outside of the iteration.

    Args:
        model (SR4IR): Model with the scheme SR4IR, on its device.
        cfg (Config): Its config, for the optimizers.
        batch (dict): Batch of the data loader.
        channels_last (bool): Whether networks and images are in ``torch.channels_last``.
        amp (bool): Whether to use mixed precision: bfloat16 on a CPU, float16 with a scaled loss on a GPU.

    Raises:
        SR4IRError: If the model has another scheme.

    Example:
        >>> loss = Floor(model, cfg, batch).step()
    """

    def __init__(self, model: SR4IR, cfg: Config, batch: dict, channels_last: bool = False, amp: bool = False) -> None:
        if model.scheme != SCHEMES['SR4IR']:
            raise SR4IRError("The floor is that of the scheme 'SR4IR': take a config of it, or leave the floors out.")
        prepared = model.data_preprocessor(batch, True)
        layout = torch.channels_last if channels_last else torch.contiguous_format
        images = {name: x.contiguous(memory_format=layout) for name, x in prepared['inputs'].items()}
        self.lr, self.hr, self.hr_inputs = (images[name] for name in ('lr', 'hr', 'hr_inputs'))
        self.sr, self.tdp, self.cqmix = model.sr, model.tdp, model.cqmix
        self.task, run, self.loss = plain_task(model.task, prepared['data_samples'])
        self.normalize = normalization(model.data_preprocessor)
        wrappers = build_optim_wrapper(model, cfg.optim_wrapper)
        self.optim_sr, self.optim_task = (wrappers[name].optimizer for name in ('sr', 'task'))
        self.trained = [param for param in self.task.parameters() if param.requires_grad]
        model.to(memory_format=layout).eval()
        self.features = Features(model, run, self.hr_inputs, prepared['data_samples'])
        for net in (self.sr, self.task):
            net.train()
        self.precision = partial(mixed_precision, self.lr.device, amp)
        self.sr_scaler, self.task_scaler = (grad_scaler(enabled=amp and self.lr.is_cuda) for _ in range(2))

    def step(self) -> Tensor:
        """Run one iteration; return the sum of the losses of both phases."""
        return self._sr_phase() + self._task_phase()

    def _sr_phase(self) -> Tensor:
        for param in self.trained:
            param.requires_grad_(False)
        self.task.eval()
        with self.precision():
            sr = self.sr(self.lr)
            with torch.no_grad():
                hr_features = self.features(self.hr_inputs)
            loss = F.l1_loss(sr, self.hr) + self.tdp(self.features(self.normalize(sr)), hr_features)
        self.sr_scaler.scale(loss).backward()
        self._update(self.optim_sr, self.sr_scaler)
        self.task.train()
        for param in self.trained:
            param.requires_grad_(True)
        return loss.detach()

    def _task_phase(self) -> Tensor:
        total = 0
        with self.precision(), torch.no_grad():
            sr = self.sr(self.lr)
        for name in ('sr', 'hr', 'mix'):
            with self.precision():
                loss = 0.34 * self.loss(self._input(name, sr))
            self.task_scaler.scale(loss).backward()
            total = total + loss.detach()
        self._update(self.optim_task, self.task_scaler)
        return total

    def _input(self, name: str, sr: Tensor) -> Tensor:
        if name == 'hr':
            return self.hr_inputs
        return self.normalize(sr if name == 'sr' else self.cqmix(sr, self.hr))

    def _update(self, optimizer: torch.optim.Optimizer, scaler: 'torch.amp.GradScaler') -> None:
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
