"""Predictions on bilinear up-sampling, with which those on SR images are compared."""

import copy

import torch
from torch import nn

from ..utils import unwrap


@torch.no_grad()
def predict_on_bilinear(model: nn.Module, samples: list) -> list:
    """Run the task network on bilinear up-sampling.

    Args:
        model (SR4IR): Model, not wrapped, in eval mode.
        samples (list): Batch of data samples with ``lr`` and ``hr``, as :meth:`SR4IR.forward` returns them. They are
            not changed.

    Returns:
        list: New data samples, whose ``task_input`` is the up-sampling.
    """
    images = {name: torch.stack([sample.get(name) for sample in samples]) for name in ('lr', 'hr')}
    bilinear = model.select_input('bilinear', images)
    outputs = copy.deepcopy(samples)  # the task network writes into them
    if model.scheme.uses_task_net:
        outputs = unwrap(model.task)(model.data_preprocessor.normalize(bilinear), outputs, mode='predict')
    for sample, image in zip(outputs, bilinear):
        sample.set_data(dict(task_input=image))
    return outputs
