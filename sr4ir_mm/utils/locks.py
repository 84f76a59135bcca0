"""Locks of folders. A lock ends with the process that holds it, however that one ends.

Processes on several machines see each other's locks if the file system that they share has ``flock``.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import SR4IRError

_NAME = '.lock'


class LockedError(SR4IRError):
    """Another process is at work in a folder."""


@contextmanager
def locked(folder: Path) -> Iterator[int]:
    """Keep other processes out of a folder, which is made if it is missing.

    Yields:
        int: Descriptor of the lock. A child process that inherits it (``pass_fds``) and outlives this one keeps the
            lock.

    Raises:
        LockedError: If another process is at work there.

    Example:
        >>> with locked(Path('work_dirs/mine')):
        ...     write_results()
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / _NAME, 'w') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockedError(f"Another process is at work in '{folder}': wait for it, or stop it.") from None
        yield file.fileno()


def is_locked(folder: Path) -> bool:
    """Return whether a process is at work in a folder."""
    try:
        with open(folder / _NAME) as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
