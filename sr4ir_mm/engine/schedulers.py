"""Learning-rate schedules of the paper."""

import math
from bisect import bisect_left
from typing import Any

from mmengine.optim.scheduler.lr_scheduler import CosineRestartLR, LinearLR

from ..registry import PARAM_SCHEDULERS


@PARAM_SCHEDULERS.register_module()
class BasicSRCosineRestartLR(CosineRestartLR):
    """Cosine annealing with restarts, as the paper's own code counts it.

    MMEngine's class of this name restarts at the first step of a period; here that step still belongs to the period
    before and runs at ``eta_min``. The value is in closed form, and does not depend on the steps before. Past the last
    period it stays at ``eta_min``. Arguments as in :class:`mmengine.optim.scheduler.lr_scheduler.CosineRestartLR`.
    """

    def _get_value(self) -> list[float]:
        index = min(bisect_left(self.cumulative_periods, self.last_step), len(self.periods) - 1)
        step = min(self.last_step - (self.cumulative_periods[index] - self.periods[index]), self.periods[index])
        factor = self.restart_weights[index] * 0.5 * (1 + math.cos(math.pi * step / self.periods[index]))
        return [self._eta_min(base) + factor * (base - self._eta_min(base)) for base in self.base_values]

    def _eta_min(self, base: float) -> float:
        return self.eta_min if self.eta_min_ratio is None else base * self.eta_min_ratio


@PARAM_SCHEDULERS.register_module()
class WarmUpLR(LinearLR):
    """Linear warm-up over whole epochs: iteration ``i`` of ``n`` runs at ``1/n + (1 - 1/n) i/n`` of the base rate.

    MMEngine's ``LinearLR`` takes the first factor from the config, which would have to know the number of iterations;
    and it reaches the base rate at the last of them, not at the first after them. Needs ``by_epoch=True`` and
    ``convert_to_iter_based=True``; ``end`` is the number of epochs. Arguments as in
    :class:`mmengine.optim.scheduler.lr_scheduler.LinearLR`.
    """

    @classmethod
    def build_iter_from_epoch(
        cls, *args: Any, end: int, epoch_length: int, by_epoch: bool = True, **kwargs: Any
    ) -> 'WarmUpLR':
        """Build the scheduler from epochs of ``epoch_length`` iterations."""
        steps = end * epoch_length
        return cls(*args, start_factor=1 / steps, end=steps + 1, by_epoch=False, **kwargs)
