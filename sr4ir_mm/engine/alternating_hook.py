"""What an iteration needs to know of the run: warm-up, accumulation, randomness."""

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner, set_random_seed

from ..registry import HOOKS
from ..utils import unwrap
from .seeding import derive_seed


@HOOKS.register_module()
class AlternatingUpdateHook(Hook):
    """Prepares each iteration of the alternating updates from the runner's counters alone.

    Nothing is kept here, so a resumed run continues as if it had not stopped: whether the TDP loss is active, how far
    the gradient accumulation is, and the random numbers of patch mix, dropout and drop path (which are a function of
    the seed, the iteration and the rank) all follow from ``runner.epoch`` and ``runner.iter``.

    Args:
        warmup_epochs (int): Epochs without the TDP loss (SR4IR, section 4.1: a tenth of the training).
        warmup_iters (int): The same in iterations, for iteration-based loops.
        warmup_ratio (float): The same as a share of the whole run, whose length another config decides.
    """

    priority = 'HIGH'

    def __init__(self, warmup_epochs: int = 0, warmup_iters: int = 0, warmup_ratio: float = 0.0) -> None:
        self.warmup_epochs = warmup_epochs
        self.warmup_iters = warmup_iters
        self.warmup_ratio = warmup_ratio

    def before_train(self, runner: Runner) -> None:
        """Tell each optimizer wrapper where it is: MMEngine's dict of wrappers does not pass this on."""
        for name, wrapper in runner.optim_wrapper.items():
            wrapper.initialize_count_status(getattr(unwrap(runner.model), name), runner.iter, runner.max_iters)

    def before_train_epoch(self, runner: Runner) -> None:
        """Draw the data of an epoch from the epoch's number, with and without worker processes."""
        seed = derive_seed(runner.seed or 0, runner.epoch)
        set_random_seed(seed)
        # iteration-based loops start workers anew in the middle; PyTorch's own generator would give them another seed
        # in a resumed run
        runner.train_dataloader.generator = torch.Generator().manual_seed(seed)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        """Decide whether the TDP loss is active, and seed PyTorch's generators."""
        first = max(self.warmup_iters, self.warmup_ratio * runner.max_iters)
        active = runner.epoch >= self.warmup_epochs and runner.iter >= first
        unwrap(runner.model).tdp_active = active
        torch.manual_seed(derive_seed(runner.seed or 0, runner.iter))
