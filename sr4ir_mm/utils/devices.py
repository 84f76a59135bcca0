"""Devices by name."""

import torch

from ..errors import SR4IRError


def check_device(name: str | None) -> None:
    """Check that a device exists; None is the choice of MMEngine.

    Raises:
        SR4IRError: If PyTorch does not know it, or the machine does not have it. The message has those that it has.

    Example:
        >>> check_device('gpu')
        Traceback (most recent call last):
            ...
        sr4ir_mm.errors.SR4IRError: The device 'gpu' is unknown or not available; choose from: cpu.
    """
    try:
        known = name is None or torch.empty(1, device=name).device.type != 'meta'  # which computes nothing
    except (RuntimeError, AssertionError, NotImplementedError):  # unknown; PyTorch without it; without its operations
        known = False
    if not known:
        names = ['cpu', *(f'cuda:{i}' for i in range(torch.cuda.device_count()))]
        raise SR4IRError(f"The device '{name}' is unknown or not available; choose from: {', '.join(names)}.")
