"""Outputs of heads in float32 when a network predicts in mixed precision.

Heads of the zoos make the coordinates of their anchors in the type of their outputs. In bfloat16, a box at 512 px is
right to 4 px, and logits that differ by 1 % are equal.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.structures import BaseDataElement
from torch import Tensor, nn

from ..utils.precision import full_precision

_HALF = (torch.float16, torch.bfloat16)
#: parts of torchvision's networks: anchors take the type of features, boxes and logits that of the outputs of heads
_PARTS = ('backbone', 'head', 'box_predictor', 'mask_predictor', 'keypoint_predictor', 'classifier')

#: the same of networks of transformers, some of which have a list of them
_OF_TRANSFORMERS = ('bbox_embed', 'bbox_predictor', 'class_embed', 'class_labels_classifier', 'class_predictor')


@contextmanager
def full_outputs(task: nn.Module) -> Iterator[None]:
    """Let the heads of a network return and decode float32; what they compute stays in the types of mixed precision.

    Also heads that do not decode: PointRend's writes its points into the masks of another one, in one type.

    Args:
        task (nn.Module): Task network, not wrapped. In one without heads of the zoos, such as a detector of
            torchvision, the parts with torchvision's names return float32.

    Example:
        >>> with mixed_precision(inputs.device), full_outputs(task):
        ...     task(inputs, data_samples, mode='predict')
    """
    nets = _parts(task)
    device = next(task.parameters(), torch.empty(0)).device
    own = [(net, name, vars(net).get(name)) for net in nets for name in ('forward', 'predict_by_feat')]
    for net in nets:
        net.forward = _full(net.forward)
        if hasattr(net, 'predict_by_feat'):
            net.predict_by_feat = _decoding(net.predict_by_feat, device)
    try:
        yield
    finally:
        for net, name, function in own:
            if function is not None:
                setattr(net, name, function)
            else:
                vars(net).pop(name, None)


def _parts(task: nn.Module) -> list[nn.Module]:
    heads = [part for part in task.modules() if _predicts(part) or type(part).__name__.endswith('Head')]
    heads = [part for part in heads if part is not task]
    if any(map(_predicts, heads)):
        return heads
    names = (*_PARTS, *_OF_TRANSFORMERS)
    return [part for name, part in task.named_modules() if name.rstrip('.0123456789').rpartition('.')[2] in names]


def _predicts(part: nn.Module) -> bool:
    return hasattr(part, 'predict_by_feat') or hasattr(part, 'predict')


def _full(forward: Callable) -> Callable:
    def run(*args: Any, **kwargs: Any) -> Any:
        return to_float32(forward(*args, **kwargs))

    return run


def _decoding(decode: Callable, device: torch.device) -> Callable:
    """Decode without casts: GFL's distances are a product of matrices, which mixed precision would round."""

    def run(*args: Any, **kwargs: Any) -> Any:
        with full_precision(device):
            return decode(*to_float32(args), **to_float32(kwargs))

    return run


def to_float32(node: Any) -> Any:
    """Return nested values with tensors of half precision as float32; data samples are changed themselves."""
    if isinstance(node, Tensor):
        return node.float() if node.dtype in _HALF else node
    if isinstance(node, BaseDataElement):
        for name, value in node.items():
            if (full := to_float32(value)) is not value:
                node.set_data({name: full})
        return node
    if type(node) in (dict, OrderedDict):
        return type(node)((key, to_float32(value)) for key, value in node.items())
    return type(node)(map(to_float32, node)) if type(node) in (list, tuple) else node
