"""The error that a user can fix, and how the tools show it."""

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

_RUNNER = os.path.join('mmengine', 'runner', 'runner.py')


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

    Errors of the system are missing files, a full disk, missing permissions, a lost connection. What cannot be built
    from a config is a mistake of the user too; with SR4IR_TRACEBACK=1 in the environment, its traceback is shown.

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
    except Exception as error:
        part = _part_of_config(error)
        if part is None or os.environ.get('SR4IR_TRACEBACK'):
            raise
        reason = error.args[0] if isinstance(error, (TypeError, KeyError)) and error.args else f'{_kind(error)}{error}'
        print(f'\nerror: the config does not fit{part}: {reason}', file=sys.stderr)
        sys.exit(2)


def _kind(error: Exception) -> str:
    return f'{type(error).__name__}: ' if str(error) else type(error).__name__


def _part_of_config(error: Exception) -> str | None:
    """Return which part of the config MMEngine was building when an error was raised, or None if it was not building.

    It calls what the config names with the values there, and each class fails in its own way if they make no sense.
    """
    found = None
    for frame, _ in traceback.walk_tb(error.__traceback__):
        name, values = frame.f_code.co_name, frame.f_locals
        if name == 'build_from_cfg' and values.get('obj_type'):
            found = f' ({getattr(values["obj_type"], "__name__", values["obj_type"])}: {_short(values.get("args"))})'
        elif name.startswith(('build_', 'register_', 'set')) and frame.f_code.co_filename.endswith(_RUNNER):
            entries = {key: value for key, value in values.items() if isinstance(value, (dict, list, str, int))}
            found = f' ({name.partition("_")[2]}: {_short(entries)})'
    return found


def _short(entries: dict | None) -> str:
    """Return the keys and values of a dict in one line, without what is in the values."""
    texts = {
        key: '...' if isinstance(value, (dict, list)) and value else value for key, value in (entries or {}).items()
    }
    return ', '.join(f'{key}={value}' for key, value in texts.items())[:300]
