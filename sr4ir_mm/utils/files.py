"""Files of results: names that do not collide, and files that are complete or absent."""

import io
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from ..errors import SR4IRError

#: suffixes of images, which the names of results do not keep
IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp', '.ppm', '.pgm')


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
        SR4IRError: If the file cannot be written; the message names the file and the reason.

    Example:
        >>> with new_file('scores.npy') as path:
        ...     np.save(path, scores)
    """
    if '://' in str(path):
        raise SR4IRError(f"'{path}' is an address, but results are written to files: name a file or folder.")
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
        raise SR4IRError(
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
        raise SR4IRError(str(error).replace(str(probe), str(path))) from error
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


class UniqueNames:
    """Names that differ, in any case and with '__' for '/', as file systems and visualization backends compare them.

    Example:
        >>> unique = UniqueNames()
        >>> unique('cat'), unique('Cat')
        ('cat', 'Cat_2')
    """

    def __init__(self) -> None:
        self.used: set[str] = set()

    def __call__(self, stem: str) -> str:
        """Return a name, and the same name with a number if it is in use."""
        name, count = stem, 1
        while (key := name.replace('/', '__').casefold()) in self.used:
            count += 1
            name = f'{stem}_{count}'
        self.used.add(key)
        return name


def output_names(images: Sequence[str], folders: bool = False, unique: UniqueNames | None = None) -> list[str]:
    """Decide the names of the results of all images of a run, no name twice.

    The names follow from the list alone, so they are the same in each process and in each epoch. Of an address or path
    the file name counts, without the suffix of an image. A name that an earlier image has receives a number.

    Args:
        images (Sequence[str]): Paths and addresses of the images.
        folders (bool): Whether the names start with the folders below the one that all images are in.
        unique (UniqueNames, optional): Names that are in use already.

    Returns:
        list[str]: Names without suffix; '/' separates folders.

    Example:
        >>> output_names(['a/0.jpg', 'a/0.png', 'b/scan.001'])
        ['0', '0_2', 'scan.001']
    """
    unique = unique or UniqueNames()
    if not folders:
        return [unique(_without_suffix(_file_name(image))) for image in images]
    paths = [os.path.abspath(image) for image in images]
    root = os.path.commonpath({os.path.dirname(path) for path in paths}) if paths else ''
    return [unique(_without_suffix(os.path.relpath(path, root).replace(os.sep, '/'))) for path in paths]


def _file_name(image: str) -> str:
    path = image.partition('?')[0] if '://' in image else image
    return os.path.basename(path.rstrip('/')) or 'image'


def _without_suffix(name: str) -> str:
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() in IMAGE_SUFFIXES else name
