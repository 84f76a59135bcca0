"""The one error type that means 'the user can fix this', and how the tools show it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class SR4IRError(ValueError):
    """A mistake in a config or in data; its message names the thing and the fix."""


@contextmanager
def user_errors() -> Iterator[None]:
    """Print an :class:`SR4IRError` or a missing file as one message, without a traceback, and exit with code 2."""
    try:
        yield
    except (SR4IRError, FileNotFoundError) as error:
        # one from a worker of a data loader holds the worker's whole traceback
        message = str(error).rpartition(f'{type(error).__name__}: ')[2].strip()
        print(f'\nerror: {message}', file=sys.stderr)
        sys.exit(2)
