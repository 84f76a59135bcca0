"""Running statistics of the task network's BatchNorms, measured on images as they are tested."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from mmengine.runner.amp import autocast
from torch import Tensor, nn

from ..models.batch_norm import batch_norms, counted, explain_single_values, running_statistics
from ..models.weights import NAMES
from ..utils import unwrap


@torch.no_grad()
def measure_statistics(model: nn.Module, batches: Iterable[dict], amp: bool = False) -> dict[str, Tensor]:
    """Test a model on batches while the BatchNorms of T that it trains average; the model stays as it is.

    Everything else of T is in eval mode: dropout and drop path are off.

    Args:
        model (SR4IR): Model, not wrapped; its networks may be.
        batches (Iterable[dict]): Batches of a data loader; several processes may have different ones.
        amp (bool): Whether the test is in mixed precision.

    Returns:
        dict[str, Tensor]: Mean and variance over the images of all processes, by the name of the buffer in T.
    """
    mode = model.training
    with _without_wrappers(model), explain_single_values():
        norms = batch_norms(model.train().task)
        model.eval()
        # a retriever would compare with its gallery, which may not be there
        result = 'tensor' if hasattr(model.task, 'prepare_prototype') else 'predict'
        with counted(norms) as moments, autocast(enabled=amp):
            for batch in batches:
                model(**model.data_preprocessor(batch, False), mode=result)
    model.train(mode)
    return running_statistics(moments)


def exchange_statistics(task: nn.Module, values: dict[str, Tensor]) -> dict[str, Tensor]:
    """Set buffers of T, which may be wrapped, and return what they were."""
    buffers = dict(unwrap(task).named_buffers()) if values else {}
    before = {name: buffers[name].clone() for name in values}
    for name, value in values.items():
        buffers[name].copy_(value)
    return before


@contextmanager
def _without_wrappers(model: nn.Module) -> Iterator[None]:
    """Let no network exchange anything with other processes, which may run it more or less often."""
    wrapped = {name: net for name in NAMES if unwrap(net := getattr(model, name)) is not net}
    model._modules.update({name: unwrap(net) for name, net in wrapped.items()})
    try:
        yield
    finally:
        model._modules.update(wrapped)
