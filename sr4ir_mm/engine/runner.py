"""The Runner of tools/train.py."""

from pathlib import Path
from typing import Any

from mmengine.hooks import CheckpointHook
from mmengine.model import MMSeparateDistributedDataParallel
from mmengine.registry import MODEL_WRAPPERS
from mmengine.runner import EpochBasedTrainLoop
from torch import nn

from ..errors import SR4IRError
from ..utils import unwrap
from .alternating_hook import AlternatingUpdateHook
from .evaluations import best_metrics
from .overview_hook import RunOverviewHook
from .progress_hook import LogPaceHook
from .screen_runner import ScreenRunner


class LateDumpRunner(ScreenRunner):
    """MMEngine's Runner, which keeps the config in the work dir that of the checkpoints there.

    MMEngine writes the config first, so that a resumed run that fails has replaced the config of the run so far. Here a
    new run writes it when everything has been built and loaded, and a resumed one before its own first checkpoint.

    The screen also shows an overview.

    Example:
        >>> LateDumpRunner.from_cfg(cfg).train()
    """

    is_dumped = False
    #: whether networks start from their files even if a checkpoint replaces their weights
    needs_files = False

    def register_hooks(self, default_hooks: dict | None = None, custom_hooks: list | None = None) -> None:
        """Register the hooks of the config, and those that show the training."""
        super().register_hooks(default_hooks, custom_hooks)
        for hook in LogPaceHook(), RunOverviewHook():
            self.register_hook(hook)

    def dump_config(self) -> None:
        """Do nothing yet."""

    def wrap_model(self, model_wrapper_cfg: dict | None, model: nn.Module) -> nn.Module:
        """Wrap each network on its own, as the configs say.

        Raises:
            SR4IRError: If the run is distributed, and another wrapper is asked for.
        """
        cfg = {'type': 'MMSeparateDistributedDataParallel', **(model_wrapper_cfg or {})}
        kind = cfg['type'] if isinstance(cfg['type'], type) else MODEL_WRAPPERS.get(cfg['type'])
        if self.distributed and not (kind and issubclass(kind, MMSeparateDistributedDataParallel)):
            raise SR4IRError(
                f"model_wrapper_cfg.type='{cfg['type']}' is for a network with one loss and one optimizer. Sharded "
                'ones (FSDP) also fix which weights get gradients, while SR4IR freezes its networks in turn: use '
                "'MMSeparateDistributedDataParallel'."
            )
        return super().wrap_model(cfg, model)

    def _init_model_weights(self) -> None:
        """Initialize the weights; not from files if a checkpoint holds all of them, because they may be deleted."""
        if self._resume and self._load_from and not self.needs_files:
            unwrap(self.model).forget_files()
        super()._init_model_weights()

    def load_or_resume(self) -> None:
        """Load or resume, which is the last step before the first iteration."""
        super().load_or_resume()
        self._forget_foreign_best()
        for hook in self.hooks:
            if isinstance(hook, CheckpointHook):  # which saves the last one again with each new best score
                hook.last_ckpt = self.message_hub.get_info('last_ckpt')  # of the resumed run, if this is one
        if not self.cfg.get('resume'):
            self._dump_once()

    def _forget_foreign_best(self) -> None:
        """Keep the best checkpoint of another work dir, which MMEngine would delete when this run has a better one."""
        for name, path in list(self.message_hub.runtime_info.items()):
            if name.startswith('best_ckpt') and path:
                own = Path(self.work_dir) / Path(path).name
                if own.exists():
                    self.message_hub.update_info(name, str(own))
                else:
                    self.message_hub.pop_info(name)

    def save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        """Save a checkpoint as MMEngine does."""
        self._dump_once()
        super().save_checkpoint(*args, **kwargs)

    def call_hook(self, fn_name: str, **kwargs: Any) -> None:
        """Check that the metrics of the best checkpoint were measured, then call the hooks as MMEngine does.

        Raises:
            SR4IRError: If one was not. The epoch is saved already.
        """
        if fn_name == 'after_val_epoch' and (metrics := kwargs.get('metrics')):
            missing = [name for name in best_metrics(self) if name not in (*metrics, 'auto')]
            if missing:
                raise SR4IRError(
                    f"default_hooks.checkpoint.save_best='{missing[0]}' is no metric of the validation, which has: "
                    f'{", ".join(metrics)}. Name one of them, and continue with --resume.'
                )
        super().call_hook(fn_name, **kwargs)
        if fn_name == 'before_train' and self._resume and self._is_validation_due():
            self._repeat_validation()

    def _repeat_validation(self) -> None:
        """Validate with the counters that the message hub has after an iteration, before the next one begins."""
        self.message_hub.update_info('iter', self.iter - 1)
        if isinstance(self.train_loop, EpochBasedTrainLoop):
            self.message_hub.update_info('epoch', self.epoch - 1)
        self.val_loop.run()

    def _is_validation_due(self) -> bool:
        """Tell whether the checkpoint was saved before a validation, which a kill may have ended."""
        loop = self.train_loop
        step = loop.epoch if isinstance(loop, EpochBasedTrainLoop) else loop.iter
        loop._decide_current_val_interval()
        is_due = step % loop.val_interval == 0 or loop.iter == loop.max_iters
        if self.val_loop is None or step < max(loop.val_begin, 1) or not is_due:
            return False
        return all(
            hook.run_state.validated < loop.iter for hook in self.hooks if isinstance(hook, AlternatingUpdateHook)
        )

    def _dump_once(self) -> None:
        if not self.is_dumped:
            super().dump_config()
        self.is_dumped = True
