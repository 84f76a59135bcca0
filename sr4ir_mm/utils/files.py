"""Files of results: complete or absent, and read with a message that names them."""

import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from ..errors import SR4IRError


class WriteError(SR4IRError):
    """A file cannot be written."""


@contextmanager
def new_file(path: str | Path) -> Iterator[Path]:
    """Write a file under a temporary name next to it, which becomes its own when the context ends.

    So no half file is left, whatever happens, and an earlier file stays until the new one is complete. Missing folders
    are made.

    Args:
        path (str or Path): File to write. Devices and pipes are written to directly.

    Yields:
        Path: Where to write, with the same suffix.

    Raises:
        WriteError: If the file cannot be written; the message names the file and the reason.

    Example:
        >>> with new_file('scores.npy') as path:
        ...     np.save(path, scores)
    """
    if '://' in str(path):
        raise WriteError(f"'{path}' is an address, but results are written to files: name a file or folder.")
    target = Path(os.path.realpath(path))  # a link stays a link
    # short, because the name itself may be as long as the system allows
    partial = target.with_name(f'.{uuid4().hex}{target.suffix[:9]}')
    try:
        if target.exists() and not target.is_file() and not target.is_dir():
            partial = target
        target.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        if partial != target:
            os.replace(partial, target)
    except OSError as error:
        reason = 'Not a directory' if isinstance(error, FileExistsError) else error.strerror or error
        raise WriteError(
            f"'{path}' cannot be written: {reason}. Make room, or choose another folder or name."
        ) from error
    finally:
        if partial != target:
            with suppress(OSError):
                partial.unlink()


def check_writable(path: str | Path) -> None:
    """Check that a file can be written, before the work of which it is the result; its folder is made.

    Raises:
        SR4IRError: If not.
    """
    probe = Path(path).with_name(f'.{uuid4().hex}')
    try:
        write_file(probe, '')
    except SR4IRError as error:
        raise WriteError(str(error).replace(str(probe), str(path))) from error
    probe.unlink()


def write_file(path: str | Path, content: bytes | str) -> None:
    """Write bytes, or text as UTF-8, to a file; see :func:`new_file`."""
    data = content.encode() if isinstance(content, str) else content
    with new_file(path) as file:
        file.write_bytes(data)


def write_checkpoint(path: str | Path, content: dict) -> None:
    """Write what :func:`torch.save` takes, in memory first: PyTorch's own errors do not say that a disk is full."""
    import torch

    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_file(path, buffer.getvalue())


def read_json_lines(path: Path) -> list[dict]:
    """Read a file of results that MMEngine wrote: one dict of JSON in a line.

    The last line is left out if it is incomplete: the run may still write it, or have been stopped.

    Raises:
        SR4IRError: If the file cannot be read, or another line is damaged.
    """
    try:
        *lines, last = path.read_text(encoding='utf-8').split('\n')
        entries = [json.loads(line) for line in lines if line.strip()]
        with suppress(json.JSONDecodeError):
            entries += [json.loads(last)]
    except (OSError, ValueError) as error:  # ValueError: of JSON, or of the encoding
        raise SR4IRError(f"'{path}' cannot be read ({error}): correct it, or delete it.") from error
    if not all(isinstance(entry, dict) for entry in entries):
        raise SR4IRError(f"'{path}' is no file of results that MMEngine wrote: correct it, or delete it.")
    return entries


def short_path(path: str | Path) -> str:
    """Return a path as short as the folder of the user allows.

    Args:
        path (str or Path): File or folder.

    Example:
        >>> short_path(Path.cwd() / 'work_dirs/my_det')
        'work_dirs/my_det'
    """
    path = Path(path)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
