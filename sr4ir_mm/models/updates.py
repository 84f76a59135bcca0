"""Backward pass and optimizer step with several losses per step, or several optimizers per loss.

MMEngine's wrappers count calls of ``backward`` to know when to step. In phase 2 three calls make one step, and in the
joint scheme one call serves two wrappers: both must count as one.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from ..errors import SR4IRError


@contextmanager
def optim_contexts(wrappers: Mapping[nn.Module, OptimWrapper], last: bool) -> Iterator[None]:
    """Enter mixed precision, and exchange no gradients between GPUs before the last loss of the iteration.

    Args:
        wrappers (Mapping[nn.Module, OptimWrapper]): Wrappers by network, which may be wrapped for several GPUs.
        last (bool): Whether the next loss is the last one of the iteration.
    """
    with ExitStack() as stack:
        for net, wrapper in wrappers.items():
            stack.enter_context(wrapper.optim_context(net))
            if not last and hasattr(net, 'no_sync'):
                stack.enter_context(net.no_sync())
        yield


def accumulate(wrappers: Collection[OptimWrapper], loss: Tensor, last: bool) -> None:
    """Add the gradient of a scalar loss, scaled for mixed precision and accumulation.

    Args:
        wrappers (Collection[OptimWrapper]): Wrappers of the networks that the loss reaches.
        loss (Tensor): Scalar loss.
        last (bool): Whether this is the last loss of the iteration; only the last one counts as a step.
    """
    first, *others = wrappers
    first.backward(first.scale_loss(loss))
    first._inner_count -= 0 if last else 1
    for wrapper in others:
        wrapper._inner_count += 1 if last else 0


def update(wrappers: Collection[OptimWrapper]) -> None:
    """Step and clear the gradients of the wrappers whose accumulation is complete."""
    ready = [wrapper for wrapper in wrappers if wrapper.should_update()]
    if len(ready) > 1 and hasattr(ready[0], 'loss_scaler'):
        _step_with_one_scaler(ready)
    else:
        for wrapper in ready:
            wrapper.step()
    for wrapper in ready:
        wrapper.zero_grad()


def share_scaler(wrappers: Collection[OptimWrapper]) -> None:
    """Let wrappers that share one ``backward`` share the loss scale.

    Raises:
        SR4IRError: If only some of them use mixed precision, or they accumulate over different numbers of iterations.
    """
    if len({wrapper._accumulative_counts for wrapper in wrappers}) > 1:
        raise SR4IRError(
            "SR and task network learn from one backward pass: use the same 'accumulative_counts' for both."
        )
    scalers = [wrapper.loss_scaler for wrapper in wrappers if hasattr(wrapper, 'loss_scaler')]
    if scalers and len(scalers) < len(wrappers):
        raise SR4IRError(
            "SR and task network learn from one backward pass: use the same optim_wrapper 'type' for both."
        )
    for wrapper in wrappers:
        if scalers:
            wrapper.loss_scaler = scalers[0]


def _step_with_one_scaler(wrappers: list) -> None:
    scaler = wrappers[0].loss_scaler
    for wrapper in wrappers:
        if wrapper.clip_grad_kwargs:
            scaler.unscale_(wrapper.optimizer)
            wrapper._clip_grad()
        scaler.step(wrapper.optimizer)
    # once for both: AmpOptimWrapper.step would change the scale between the two steps
    scaler.update(wrappers[0]._scale_update_param)
