"""BatchNorms: batches of one image, and the images whose statistics the layers keep."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import torch
import torch.nn.functional as F
from mmengine.dist import all_reduce
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..errors import SR4IRError


def batch_norms(net: nn.Module) -> dict[str, nn.Module]:
    """Return the BatchNorms whose running statistics a training of the network changes, by name.

    These are the layers of PyTorch of any dimension, those that inherit from them, and SyncBN of PyTorch and mmcv.
    Layers in eval mode (``norm_eval``, ``frozen_stages``) and those without running statistics are left out; GroupNorm,
    LayerNorm and InstanceNorm have none that matter.

    Args:
        net (nn.Module): Network in train mode, not wrapped.
    """
    return {name: module for name, module in net.named_modules() if _is_changed(module)}


def _is_changed(module: nn.Module) -> bool:
    is_norm = isinstance(module, _BatchNorm) or type(module).__name__ == 'SyncBatchNorm'
    return is_norm and module.training and module.track_running_stats and module.running_mean is not None


@contextmanager
def kept_statistics(net: nn.Module) -> Iterator[None]:
    """Let BatchNorms in train mode normalize by the batch, as always, but not add it to their running statistics.

    Args:
        net (nn.Module): Network, not wrapped.
    """
    norms = [(vars(norm), norm.momentum) for norm in filter(_is_changed, net.modules())]  # attributes are slow to set
    for attributes, _ in norms:
        attributes.update(track_running_stats=False, momentum=0.0)  # mmcv's SyncBN reads only the second
    try:
        yield
    finally:
        for attributes, momentum in norms:
            attributes.update(track_running_stats=True, momentum=momentum)


class Moments:
    """Mean and variance of what a BatchNorm receives, over all values of a channel in all images.

    The variance is that of all values together, not the mean of the batches' own, which is smaller (arXiv 2105.07576,
    appendix). Images of different sizes count alike.

    Args:
        norm (nn.Module): The layer.
    """

    def __init__(self, norm: nn.Module) -> None:
        self.mean, self.var = torch.zeros_like(norm.running_mean), torch.zeros_like(norm.running_var)
        self.images, self.values = 0, 0

    def add(self, norm: nn.Module, inputs: tuple[Tensor], _: Tensor) -> None:
        """Add a batch, whose statistics are those that the layer has now."""
        images, values = inputs[0].shape[0], inputs[0].numel() // inputs[0].shape[1]
        if values < 2:
            return  # no boxes
        self.images += images
        self.values += values
        share, delta = images / self.images, norm.running_mean - self.mean
        self.mean += share * delta
        self.var += share * (norm.running_var * (1 - 1 / values) + (1 - share) * delta**2 - self.var)


@contextmanager
def counted(norms: Mapping[str, nn.Module]) -> Iterator[dict[str, Moments]]:
    """Count what BatchNorms receive while they normalize by the batch; on exit they are as before.

    Layers of SyncBN normalize by the batch of their own process, so that processes need not keep in step.

    Args:
        norms (Mapping[str, nn.Module]): Layers by name.

    Example:
        >>> with torch.no_grad(), counted(batch_norms(net)) as moments:
        ...     net(images)
    """
    moments = {name: Moments(norm) for name, norm in norms.items()}
    before = [(norm, norm.training, norm.momentum, [b.clone() for b in norm.buffers()]) for norm in norms.values()]
    handles = [norm.register_forward_hook(moments[name].add) for name, norm in norms.items()]
    synchronized = [norm for norm in norms.values() if type(norm).__name__ == 'SyncBatchNorm']
    for norm in synchronized:
        norm.forward = partial(_normalize_alone, norm)
    for norm in norms.values():
        norm.training, norm.momentum = True, 1.0  # the running statistics become those of the last batch
    try:
        yield moments
    finally:
        for handle in handles:
            handle.remove()
        for norm in synchronized:
            del norm.forward
        for norm, training, momentum, buffers in before:
            norm.training, norm.momentum = training, momentum
            for buffer, copy in zip(norm.buffers(), buffers):
                buffer.copy_(copy)


def running_statistics(moments: Mapping[str, Moments]) -> dict[str, Tensor]:
    """Return running statistics over the images of all processes, by the name of the buffer; those of layers that ran.

    Args:
        moments (Mapping[str, Moments]): What :func:`counted` has counted, of the same layers in all processes.
    """
    if not moments:
        return {}
    found = list(moments.values())
    sizes = torch.tensor([m.mean.numel() for m in found])
    mean, var = (torch.cat(vectors) for vectors in zip(*((m.mean, m.var) for m in found)))
    images, values = (
        torch.tensor(numbers).repeat_interleave(sizes).to(mean)
        for numbers in zip(*((m.images, m.values) for m in found))
    )
    total, number = _sum(images), _sum(values)
    of_all = _sum(images * mean) / total
    spread = _sum(images * (var + (mean - of_all) ** 2)) / total * number / (number - 1)
    parts = zip(moments, *(vector.split(sizes.tolist()) for vector in (total, of_all, spread)))
    ran = {name: dict(running_mean=mean, running_var=var) for name, total, mean, var in parts if total.all()}
    return {f'{name}.{key}': value for name, values in ran.items() for key, value in values.items()}


def _sum(vector: Tensor) -> Tensor:
    total = vector.clone()
    all_reduce(total)
    return total


def _normalize_alone(norm: nn.Module, x: Tensor) -> Tensor:
    return F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias, True, norm.momentum, norm.eps)


@contextmanager
def explain_single_values() -> Iterator[None]:
    """Say how to avoid PyTorch's error about a BatchNorm in training with one value per channel.

    Raises:
        SR4IRError: If the code inside raises that error.
    """
    try:
        yield
    except ValueError as error:
        if 'Expected more than 1' not in str(error):
            raise
        raise SR4IRError(
            'A batch has only one image, and a BatchNorm of a network has only one value per channel of it, too few '
            'for a variance. Set train_dataloader.batch_size to 2 or more, and train_dataloader.drop_last=True, since '
            'the last batch of an epoch may be smaller.'
        ) from error
