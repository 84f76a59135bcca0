"""Freed memory is kept for the next blocks, unless the user has chosen otherwise."""

import os
import platform
import subprocess
import sys

import pytest
import torch

from sr4ir_mm.compat import allocator

PAGES = """
import resource, torch
from sr4ir_mm.compat.allocator import keep_freed_memory

def pages():
    torch.ones(2**24)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(8):
        torch.ones(2**24)  # 64 MB: more than what glibc keeps by itself
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

print(pages())
assert keep_freed_memory()
print(pages())
"""
on_glibc = pytest.mark.skipif(
    platform.libc_ver()[0] != 'glibc' or torch.cuda.is_available(), reason='it is for glibc and a CPU'
)


def environment(**variables: str) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(allocator._CHOICES)}
    return plain | variables


@on_glibc
def test_the_same_blocks_need_no_new_pages():
    command = [sys.executable, '-c', PAGES]
    done = subprocess.run(command, env=environment(), capture_output=True, check=True)
    fresh, kept = map(int, done.stdout.split())
    assert kept < fresh / 5


@pytest.mark.parametrize(
    'variable', ['LD_PRELOAD', 'MALLOC_MMAP_MAX_', 'MALLOC_ARENA_MAX', 'MALLOC_CONF', 'GLIBC_TUNABLES']
)
def test_a_choice_of_the_user_stays(monkeypatch, variable):
    monkeypatch.setattr(os, 'environ', environment(**{variable: 'x'}))
    monkeypatch.setattr(allocator.ctypes, 'CDLL', None)  # it would raise
    assert not allocator.keep_freed_memory()


def test_other_machines_stay_as_they_are(monkeypatch):
    monkeypatch.setattr(os, 'environ', environment())
    monkeypatch.setattr(allocator.ctypes, 'CDLL', None)
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    assert not allocator.keep_freed_memory()
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    monkeypatch.setattr(platform, 'libc_ver', lambda: ('', ''))
    assert not allocator.keep_freed_memory()
