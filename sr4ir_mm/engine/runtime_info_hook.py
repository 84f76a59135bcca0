"""Losses in the log, at one synchronization per log interval; a loss that is not finite stops the run."""

import math

import torch
from mmengine.hooks import CheckpointHook, LoggerHook
from mmengine.hooks import RuntimeInfoHook as _RuntimeInfoHook
from mmengine.runner import Runner

from ..errors import SR4IRError
from ..registry import HOOKS


@HOOKS.register_module()
class DeferredRuntimeInfoHook(_RuntimeInfoHook):
    """MMEngine's ``RuntimeInfoHook`` that leaves losses on the device until the logger needs them.

    MMEngine reads every loss of every iteration with ``.item()``, so that the CPU waits for the GPU each time.

    Raises:
        SR4IRError: If a loss is NaN or infinite. It is raised at the next log or before the next checkpoint, whichever
            comes first, so that no checkpoint is saved after such a loss.

    Example:
        >>> default_hooks = dict(runtime_info=dict(type='sr4ir_mm.DeferredRuntimeInfoHook'))
    """

    def before_run(self, runner: Runner) -> None:
        """Start with no pending losses."""
        super().before_run(runner)
        self.pending: list[tuple[int, dict]] = []

    def before_train(self, runner: Runner) -> None:
        """Find out how often losses are logged and checkpoints are saved."""
        super().before_train(runner)
        self.interval = min((h.interval for h in runner.hooks if isinstance(h, LoggerHook)), default=10)
        self.savers = [h for h in runner.hooks if isinstance(h, CheckpointHook) and not h.by_epoch]

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None, outputs: dict | None = None
    ) -> None:
        """Keep the losses, and pass them on before they are logged or a checkpoint is saved."""
        self.pending.append((runner.iter, outputs or {}))
        if (
            self.every_n_inner_iters(batch_idx, self.interval)
            or self.end_of_epoch(runner.train_dataloader, batch_idx)
            or self.is_last_train_iter(runner)
            # CheckpointHook deletes an old checkpoint before it writes the new one
            or any(self.every_n_train_iters(runner, h.interval, h.save_begin) for h in self.savers)
        ):
            self._flush(runner)

    def before_val(self, runner: Runner) -> None:
        """Pass the losses on before a validation, which may save the best checkpoint."""
        self._flush(runner)
        super().before_val(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Refuse to save after a loss that is not finite."""
        self._flush(runner)

    def _flush(self, runner: Runner) -> None:
        if not any(outputs for _, outputs in self.pending):
            return
        tensors = [torch.as_tensor(v).detach().float() for _, outputs in self.pending for v in outputs.values()]
        values = iter(torch.stack([t.to(tensors[0].device) for t in tensors]).tolist())
        pending, self.pending = self.pending, []
        for iteration, outputs in pending:
            for name, value in zip(outputs, values):
                if 'loss' in name and not math.isfinite(value):
                    raise SR4IRError(_message(runner, name, value, iteration))
                runner.message_hub.update_scalar(f'train/{name}', value)


def _message(runner: Runner, name: str, value: float, iteration: int) -> str:
    saved = runner.message_hub.runtime_info.get('last_ckpt')
    return (
        f"loss '{name}' is {value} at iteration {iteration + 1}: training stopped. Lower the learning rate, clip "
        'gradients (optim_wrapper.<net>.clip_grad) or use the relative TDP loss. '
        + (f'The last good checkpoint is {saved}.' if saved else 'No checkpoint had been saved yet.')
    )
