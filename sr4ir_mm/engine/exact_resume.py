"""Random numbers and state by which a resumed run is equal to a straight one, to the last bit."""

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner, set_random_seed

from .run_state import RunState, agree_before_saving, inexact_parts
from .seeding import derive_seed, random_state, set_random_state


class ExactResumeHook(Hook):
    """A hook that makes random numbers a function of the runner's counters, and completes MMEngine's checkpoints.

    The random numbers of the networks (patch mix, dropout, Mixup, sizes of a batch) depend on the seed, the iteration
    and the rank. Data that are loaded in this process have a sequence of their own, which depends on the seed, the
    epoch and the rank: a resumed run of an iteration-based loop loads the earlier batches again.
    """

    def before_run(self, runner: Runner) -> None:
        """Note the state at the start."""
        self.run_state = RunState(runner)

    def before_train(self, runner: Runner) -> None:
        """Say what cannot be exact."""
        for part in inexact_parts(runner):
            runner.logger.warning(f'If this run is resumed, it will not be equal to a straight one: {part}.')

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add what a resumed run needs and MMEngine does not save."""
        checkpoint['run_state'] = self.run_state.collect()

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Restore it; weights of another run come without."""
        if runner._resume:
            state = checkpoint.get('run_state', {})
            # of the training; those of the networks in the file are for tests, see TaskStatisticsHook
            checkpoint['state_dict'].update(state.get('statistics', {}))
            self.run_state.restore(state)

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed the data of an epoch from its number, with and without worker processes."""
        seed = derive_seed(runner.seed or 0, runner.epoch)
        set_random_seed(seed)
        # iteration-based loops start workers again in the middle; PyTorch's own generator would give them another
        # seed in a resumed run
        runner.train_dataloader.generator = torch.Generator().manual_seed(seed)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        """Seed the networks from the number of the iteration."""
        self._seed(runner)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None, outputs: dict | None = None
    ) -> None:
        """Go on with the random numbers of the data; let all processes hold what the checkpoint will."""
        set_random_state(self.of_data)
        agree_before_saving(runner, by_epoch=False)

    def after_train_epoch(self, runner: Runner) -> None:
        """Let all processes hold what the checkpoint will."""
        agree_before_saving(runner, by_epoch=True)

    def before_val(self, runner: Runner) -> None:
        """Seed a validation, which a resumed run may have to repeat."""
        self.run_state.validated = runner.iter
        self._seed(runner)

    def after_val(self, runner: Runner) -> None:
        """Go on with the random numbers of the training data."""
        set_random_state(self.of_data)

    def _seed(self, runner: Runner) -> None:
        self.of_data = random_state()
        set_random_seed(derive_seed(runner.seed or 0, runner.iter))
