"""The 16-bit type in which a machine computes fast.

PyTorch tells what a CPU has by functions that are not public, and old ones have not all of them.
This can go when PyTorch has a public name for them.
"""

import torch

_CPU = ('_is_amx_tile_supported', '_is_avx512_bf16_supported')


def fast_type() -> str:
    """Return 'float16' of a GPU with tensor cores, 'bfloat16' of a CPU with instructions for it, or ''."""
    if torch.cuda.is_available():
        return 'float16' if torch.cuda.get_device_capability() >= (7, 0) else ''
    return 'bfloat16' if any(getattr(torch.cpu, name, bool)() for name in _CPU) else ''
