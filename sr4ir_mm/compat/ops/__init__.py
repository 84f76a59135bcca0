"""Functions of ``mmcv._ext`` on torchvision and plain PyTorch, with the names and arguments of mmcv's C++ functions.

mmcv passes tensors for the results, which are filled in place, and calls the functions inside
``torch.autograd.Function``, so that they see no graph and come in pairs of forward and backward.

Low precision (float16, bfloat16) is computed in float32 and rounded at the end, on every device.
"""

import torch
from torch import Tensor


def at_least_float(tensor: Tensor) -> Tensor:
    """Return the tensor in float32, or as it is if it is float64."""
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def torchvision_ops() -> 'torch._ops._OpNamespace':
    """Return torchvision's compiled functions; imports torchvision at the first call, not before."""
    import torchvision  # noqa: F401  (loads the library behind torch.ops.torchvision)

    return torch.ops.torchvision
