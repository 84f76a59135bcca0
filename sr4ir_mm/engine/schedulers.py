"""Learning-rate schedules of the paper."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from mmengine.optim.scheduler.lr_scheduler import CosineRestartLR as _CosineRestartLR
from mmengine.optim.scheduler.lr_scheduler import LinearLR

from ..errors import SR4IRError
from ..registry import PARAM_SCHEDULERS
from ..utils import check_number, check_positive


@PARAM_SCHEDULERS.register_module()
class BasicSRCosineRestartLR(_CosineRestartLR):
    """MMEngine's ``CosineRestartLR`` that restarts one step later, as BasicSR and the paper; arguments as in MMEngine.

    In MMEngine, the first step of a period has the restarted rate. Here this step still belongs to the period before,
    and has ``eta_min``. The rate is computed in closed form, so that it does not depend on earlier steps. After the
    last period it stays at ``eta_min``.

    Example:
        >>> cosine = dict(type='sr4ir_mm.BasicSRCosineRestartLR', periods=[10, 90], restart_weights=[1, 1],
        ...               eta_min=1e-6, by_epoch=True, convert_to_iter_based=True)
        >>> param_scheduler = dict(sr=[cosine], task=[cosine])
    """

    def __init__(
        self, optimizer: Any, periods: Sequence[float], restart_weights: Sequence[float] = (1,), **kwargs: Any
    ) -> None:
        name = type(self).__name__
        if len(periods) != len(restart_weights):
            raise SR4IRError(f'{name}: periods={periods} and restart_weights={restart_weights} must be of one length.')
        for period, weight in zip(periods, restart_weights):
            check_positive(name, periods=period)
            check_number(name, low=0, restart_weights=weight)
        minimum = {key: kwargs[key] for key in ('eta_min', 'eta_min_ratio') if kwargs.get(key) is not None}
        if len(minimum) != 1:
            raise SR4IRError(f'{name}: set either eta_min or eta_min_ratio.')
        check_number(name, low=0, **minimum)
        super().__init__(optimizer, periods, restart_weights, **kwargs)

    def _get_value(self) -> list[float]:
        index = min(bisect_left(self.cumulative_periods, self.last_step), len(self.periods) - 1)
        step = min(self.last_step - (self.cumulative_periods[index] - self.periods[index]), self.periods[index])
        factor = self.restart_weights[index] * 0.5 * (1 + math.cos(math.pi * step / self.periods[index]))
        return [self._eta_min(base) + factor * (base - self._eta_min(base)) for base in self.base_values]

    def _eta_min(self, base: float) -> float:
        return self.eta_min if self.eta_min_ratio is None else base * self.eta_min_ratio


@PARAM_SCHEDULERS.register_module()
class WarmUpLR(LinearLR):
    """MMEngine's ``LinearLR`` for a warm-up of whole epochs; arguments as in MMEngine.

    Iteration ``i`` of ``n`` has ``1/n + (1 - 1/n) i/n`` of the base rate. MMEngine's class differs in two points: its
    first factor stands in the config, which does not know the number of iterations; and it reaches the base rate at the
    last iteration of the warm-up instead of the first one after it. ``by_epoch=True`` and
    ``convert_to_iter_based=True`` are required, and ``end`` is the number of epochs.

    Example:
        >>> warm_up = dict(type='sr4ir_mm.WarmUpLR', end=1, by_epoch=True, convert_to_iter_based=True)
    """

    @classmethod
    def build_iter_from_epoch(
        cls, *args: Any, end: int, epoch_length: int, by_epoch: bool = True, **kwargs: Any
    ) -> 'WarmUpLR':
        """Build the scheduler for ``end`` epochs of ``epoch_length`` iterations each."""
        check_positive('WarmUpLR', end=end)
        steps = end * epoch_length
        return cls(*args, start_factor=1 / steps, end=steps + 1, by_epoch=False, **kwargs)
