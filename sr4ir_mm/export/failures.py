"""Messages that name the part of a network that a file cannot hold."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import walk_tb
from types import FrameType

from torch import nn

from ..errors import SR4IRError


@contextmanager
def named_failure(path: Path, split: bool, fixed: bool) -> Iterator[None]:
    """Turn the errors of an export into one message with the module, the operation and the remedies.

    Args:
        path (Path): File that is written; it is removed after an error.
        split (bool): Whether each network has its own file already.
        fixed (bool): Whether all images have one size already.

    Raises:
        SR4IRError: If the code inside fails.
    """
    try:
        with warnings.catch_warnings():
            # of torch and onnxscript about each other, and of torch.export.load about itself
            for category in (FutureWarning, DeprecationWarning):
                warnings.simplefilter('ignore', category)
            warnings.filterwarnings('ignore', 'The given buffer is not writable')
            yield
    except SR4IRError:
        raise
    except Exception as error:  # of many kinds: torch, onnxscript, onnxruntime and the networks raise their own
        path.unlink(missing_ok=True)  # it may be incomplete or wrong
        raise SR4IRError(f"'{path}' cannot be exported: {_reason(error)}\n{_remedies(split, fixed)}") from error


def _remedies(split: bool, fixed: bool) -> str:
    """List what has not been tried yet."""
    remedies = [
        '' if split else 'export the two networks to two files (--split), so that at least one of them succeeds',
        '' if fixed else 'use one size for all images (--shape H W), if the size is the problem',
        'export what the heads of a detector return (--raw), if its boxes are the problem',
        'or use another network',
    ]
    return f'Remedies: {"; ".join(filter(None, remedies))}.'


def _reason(error: Exception) -> str:
    """Describe the first cause of an error and the last place in a network where it passed."""
    causes: list[BaseException] = [error]
    while cause := causes[-1].__cause__:
        causes.append(cause)
    frames = (item for cause in causes for item in walk_tb(cause.__traceback__))
    places = [place for frame, line in frames if (place := _place(frame, line))]
    text = str(causes[-1]).partition('\n\n')[0]
    return f'{type(causes[-1]).__name__}{" in " + places[-1] if places else ""}: {text}'


def _place(frame: FrameType, line: int) -> str | None:
    """Name the module's own code, not PyTorch's, that an error came through."""
    owner, file = frame.f_locals.get('self'), frame.f_globals.get('__name__', 'torch')
    if isinstance(owner, nn.Module) and file.partition('.')[0] != 'torch':
        return f'{type(owner).__name__}.{frame.f_code.co_name} ({file}, line {line})'
    return None
