"""The allocator of glibc, which returns large blocks of memory to the system and gets new pages for the next ones.

A training on a CPU frees and asks for the same large blocks in each iteration. glibc maps each block above 32 MB
again, and the system fills its pages with zeros. Kept blocks save time, for a higher peak of memory.
This can go when PyTorch caches memory on a CPU as it does on a GPU.
"""

import ctypes
import os
import platform

import torch

#: names of glibc's mallopt
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
#: what a user sets to choose or tune an allocator
_CHOICES = ('LD_PRELOAD', 'GLIBC_TUNABLES', 'MALLOC_')


def keep_freed_memory() -> bool:
    """Let this process, and those that it forks, keep the memory that it frees for its next blocks.

    Nothing changes with a GPU, without glibc, or if the environment chooses or tunes an allocator.

    Returns:
        bool: Whether freed memory is kept.
    """
    is_tuned = any(name.startswith(_CHOICES) and value for name, value in os.environ.items())
    if torch.cuda.is_available() or is_tuned or platform.libc_ver()[0] != 'glibc':
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(_M_MMAP_MAX, 0) and mallopt(_M_TRIM_THRESHOLD, -1))
