"""Mixed precision, and parts of it that stay in float32."""

from contextlib import AbstractContextManager, nullcontext

import torch

from ..errors import SR4IRError

#: devices on which PyTorch casts: to float16 on a GPU, to bfloat16 on a CPU
_CASTING = ('cuda', 'cpu')


def mixed_precision(device: str | torch.device, enabled: bool = True) -> AbstractContextManager:
    """Return a context of mixed precision, as ``--amp`` uses it: float16 on a GPU, bfloat16 on a CPU.

    Args:
        device (str or torch.device): Device of the networks, such as 'cuda:0'.
        enabled (bool): Whether to cast; a context without effect if not.

    Raises:
        SR4IRError: If the device has no mixed precision.

    Example:
        >>> with torch.no_grad(), mixed_precision(lr.device):
        ...     predictions = model(lr, mode='predict')
    """
    kind = torch.device(device).type
    if not enabled:
        return nullcontext()
    if kind not in _CASTING:
        raise SR4IRError(f"The device '{kind}' has no mixed precision: leave out --amp, or choose 'cpu' or 'cuda'.")
    return torch.autocast(kind)


def full_precision(device: str | torch.device) -> AbstractContextManager:
    """Return a context without casts inside of one of mixed precision: for images, whose 8 bits are exact."""
    kind = torch.device(device).type
    return torch.autocast(kind, enabled=False) if kind in _CASTING else nullcontext()


def is_mixed(device: str | torch.device) -> bool:
    """Return whether the code runs in mixed precision on a device."""
    kind = torch.device(device).type
    if hasattr(torch.amp, 'is_autocast_available'):  # torch 2.4
        return kind in _CASTING and torch.is_autocast_enabled(kind)
    return torch.is_autocast_enabled() if kind == 'cuda' else kind == 'cpu' and torch.is_autocast_cpu_enabled()
