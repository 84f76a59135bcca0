"""Functions of ``mmcv._ext`` by torchvision and plain PyTorch, with the names and arguments of mmcv's C++ functions.

mmcv passes tensors that the functions fill in place. It calls the functions inside ``torch.autograd.Function``: they
come in pairs of forward and backward, and record no graph. Low precision (float16, bfloat16) is computed in float32 and
rounded at the end, on every device.
This folder can go together with ``compat/mmcv_ops.py``.
"""

import torch
from torch import Tensor


def at_least_float(tensor: Tensor) -> Tensor:
    """Convert a tensor to float32, except if it is float64."""
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def torchvision_ops() -> 'torch._ops._OpNamespace':
    """Return torchvision's compiled functions; the first call imports torchvision."""
    import torchvision  # noqa: F401  (loads the library behind torch.ops.torchvision)

    return torch.ops.torchvision
