"""Locks of folders. A lock ends with the process that holds it, however that one ends.

Processes on several machines see each other's locks if the file system that they share has ``flock``. Where the system
has no locks, nobody is kept out.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

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
        if not _lock(file, shared=False):
            raise LockedError(f"Another process is at work in '{folder}': wait for it, or stop it.")
        yield file.fileno()


def is_locked(folder: Path) -> bool:
    """Return whether a process is at work in a folder."""
    try:
        with open(folder / _NAME) as file:
            return not _lock(file, shared=True)
    except FileNotFoundError:
        return False


def _lock(file: IO, shared: bool) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # some network file systems
        return True
    return True
