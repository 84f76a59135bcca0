"""Let every process of a distributed test draw: those of MMEngine's and the zoos' visualizers do so in the first only.

This can go when MMEngine 0.10.7's ``master_only`` no longer wraps functions that draw, and write nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import mmengine.dist.utils


@contextmanager
def every_process_draws() -> Iterator[None]:
    """Let ``master_only`` take this process for the first one."""
    is_main_process = mmengine.dist.utils.is_main_process
    mmengine.dist.utils.is_main_process = lambda group=None: True
    try:
        yield
    finally:
        mmengine.dist.utils.is_main_process = is_main_process
