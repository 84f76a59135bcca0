"""What an iteration needs to know about the run: warm-up, accumulation."""

import copy

from mmengine.logging import print_log
from mmengine.optim import OptimWrapperDict
from mmengine.runner import IterBasedTrainLoop, Runner

from ..errors import SR4IRError
from ..registry import HOOKS
from ..utils import check_number, unwrap
from .class_check_hook import ClassCheckHook
from .evaluations import prepare_evaluation
from .exact_resume import ExactResumeHook


@HOOKS.register_module()
class AlternatingUpdateHook(ExactResumeHook):
    """Prepare each iteration of the alternating updates from the runner's counters alone.

    A resumed run continues as if it had not stopped: whether the TDP loss is active, how far the gradient accumulation
    is, and the random numbers follow from ``runner.epoch`` and ``runner.iter``; its parent class does the rest.

    A training of SR4IR without this hook is refused, see :class:`SR4IROptimWrapperConstructor`. The configs hold it as
    ``default_hooks.alternating``, which setting ``custom_hooks`` does not touch.

    Args:
        warmup_epochs (int, optional): Epochs without the TDP loss (SR4IR, section 4.1: a tenth of the training).
        warmup_iters (int, optional): Iterations without the TDP loss.
        warmup_ratio (float): Share of the whole run without the TDP loss, if neither of the others is given. 1 for a
            run without it.

    Raises:
        SR4IRError: Before the run, if it has two of these hooks, or ends before its warm-up; before a test of weights
            that are neither loaded nor trained.

    Example:
        >>> default_hooks = dict(alternating=dict(type='sr4ir_mm.AlternatingUpdateHook', warmup_ratio=0.1))
    """

    priority = 'HIGH'

    def __init__(
        self, warmup_epochs: int | None = None, warmup_iters: int | None = None, warmup_ratio: float = 0.0
    ) -> None:
        name = 'AlternatingUpdateHook'
        self.warmup_ratio = warmup_ratio if warmup_epochs is warmup_iters is None else 0.0
        self.warmup_epochs = 0 if warmup_epochs is None else warmup_epochs
        self.warmup_iters = 0 if warmup_iters is None else warmup_iters
        check_number(name, low=0, whole=True, warmup_epochs=self.warmup_epochs, warmup_iters=self.warmup_iters)
        check_number(name, low=0, high=1, warmup_ratio=warmup_ratio)

    def before_run(self, runner: Runner) -> None:
        """Tell the model that this hook is part of the run."""
        if sum(isinstance(hook, AlternatingUpdateHook) for hook in runner.hooks) > 1:
            raise SR4IRError(
                'The config has two AlternatingUpdateHooks: remove the one in custom_hooks, and set the warm-up in '
                'default_hooks.alternating.'
            )
        if (runner.cfg.get('default_hooks') or {}).get('class_check', 'missing') is None:
            print_log('default_hooks.class_check=None: classes are not checked', 'current')
        elif not any(isinstance(hook, ClassCheckHook) for hook in runner.hooks):
            ClassCheckHook().before_run(runner)  # a config need not have it
        unwrap(runner.model).updates_are_prepared = True
        super().before_run(runner)

    def after_run(self, runner: Runner) -> None:
        """Leave the model as it was, for a runner that may lack the hook."""
        unwrap(runner.model).updates_are_prepared = False

    def before_train(self, runner: Runner) -> None:
        """Start the gradient accumulation of each wrapper where the run is: MMEngine's dict does not pass this on."""
        if not isinstance(runner.optim_wrapper, OptimWrapperDict):
            raise SR4IRError(
                'SR4IR needs one optimizer wrapper for each network: set optim_wrapper.constructor='
                "'sr4ir_mm.SR4IROptimWrapperConstructor', with the parts 'sr' and 'task'."
            )
        for name, wrapper in runner.optim_wrapper.items():
            wrapper.initialize_count_status(getattr(unwrap(runner.model), name), runner.iter, runner.max_iters)
        super().before_train(runner)
        if unwrap(runner.model).scheme.uses_tdp:
            self._check_warm_up(runner)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Put the weights of a file that holds nothing else where MMEngine's EMAHook looks for them."""
        if 'state_dict' not in checkpoint:
            state = copy.copy(checkpoint)  # with its metadata
            checkpoint.clear()
            checkpoint['state_dict'] = state
        super().after_load_checkpoint(runner, checkpoint)

    def before_val(self, runner: Runner) -> None:
        """Prepare a validation, see ``prepare_evaluation``."""
        super().before_val(runner)  # a retriever's gallery must not draw from the random numbers of the data
        is_early = 10 * runner.iter < runner.max_iters  # the first tenth of a training
        prepare_evaluation(unwrap(runner.model), runner.val_evaluator, is_early)

    def before_test(self, runner: Runner) -> None:
        """Prepare a test, see ``prepare_evaluation``."""
        prepare_evaluation(unwrap(runner.model), runner.test_evaluator)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        """Decide whether the TDP loss is active."""
        active = runner.epoch >= self.warmup_epochs and runner.iter >= self.first_iter(runner)
        unwrap(runner.model).tdp_active = active
        super().before_train_iter(runner, batch_idx, data_batch)

    def first_iter(self, runner: Runner) -> int:
        """Return the iteration in which the warm-up ends, if it does not count epochs; whole in spite of rounding."""
        return max(self.warmup_iters, int(self.warmup_ratio * runner.max_iters + 1e-6))

    def _check_warm_up(self, runner: Runner) -> None:
        """Check that the TDP loss, which the scheme has, is used before the run ends."""
        if self.warmup_epochs and isinstance(runner.train_loop, IterBasedTrainLoop):
            raise SR4IRError(
                f'default_hooks.alternating.warmup_epochs={self.warmup_epochs} counts epochs, but train_cfg counts '
                'iterations: set warmup_iters, or warmup_ratio, the share of the whole run.'
            )
        if self.warmup_ratio == 1:
            print_log('warmup_ratio=1: this run has no TDP loss', 'current')
        elif self.warmup_epochs >= runner.max_epochs or self.first_iter(runner) >= runner.max_iters:
            length = f'{self.warmup_epochs} epochs' if self.warmup_epochs else f'{self.warmup_iters} iterations'
            raise SR4IRError(
                f'The warm-up of {length} (default_hooks.alternating) is as long as the whole run, so that the TDP '
                'loss would never be used: shorten it, or set warmup_ratio=1 alone for a run without this loss.'
            )
