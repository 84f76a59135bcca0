"""The error that a user can fix, and how the tools show it."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager


class SR4IRError(ValueError):
    """A mistake in a config or in data; the message says what is wrong, then what to do.

    Example:
        >>> raise SR4IRError("SRQuality has no metric 'NIQE': choose from 'PSNR', 'SSIM' and 'LPIPS'.")
        Traceback (most recent call last):
            ...
        sr4ir_mm.errors.SR4IRError: SRQuality has no metric 'NIQE': choose from 'PSNR', 'SSIM' and 'LPIPS'.
    """


@contextmanager
def user_errors() -> Iterator[None]:
    """Print an :class:`SR4IRError` or an error of the system as one message without a traceback, and exit with code 2.

    Errors of the system are missing files, a full disk, missing permissions, a lost connection. A type or an argument
    in a config that MMEngine's registries do not know is a mistake of the user too.

    Example:
        >>> if __name__ == '__main__':
        ...     with user_errors():
        ...         main()
    """
    try:
        yield
    except (SR4IRError, OSError) as error:
        # the message of a data loader's worker contains its whole traceback
        message = str(error).rpartition(f'{type(error).__name__}: ')[2].strip()
        print(f'\nerror: {message}', file=sys.stderr)
        sys.exit(2)
    except (TypeError, KeyError) as error:
        if not _is_of_config(error):
            raise
        print(f'\nerror: the config does not fit: {error.args[0]}', file=sys.stderr)
        sys.exit(2)


def _is_of_config(error: TypeError | KeyError) -> bool:
    """Return whether MMEngine could not call what a config names: it is unknown, or does not have the arguments."""
    functions = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    passed_on = 'build_from_cfg' in functions and 'got an unexpected keyword argument' in str(error)
    return functions[-1] == 'build_from_cfg' or passed_on
