"""Files of results: names that do not collide, and files that are complete or absent."""

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
    target = Path(os.path.realpath(path))  # a link stays a link
    # short, because the name itself may be as long as the system allows
    partial = target if _is_special(target) else target.with_name(f'.{uuid4().hex}{target.suffix[:9]}')
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        if partial != target:
            os.replace(partial, target)
    except OSError as error:
        raise SR4IRError(
            f"'{path}' cannot be written: {error.strerror or error}. Make room, or choose another folder or name."
        ) from error
    finally:
        if partial != target:
            with suppress(OSError):
                partial.unlink()


def write_file(path: str | Path, content: bytes | str) -> None:
    """Write bytes, or text as UTF-8, to a file; see :func:`new_file`."""
    data = content.encode() if isinstance(content, str) else content
    with new_file(path) as file:
        file.write_bytes(data)


def output_names(images: Sequence[str], folders: bool = False) -> list[str]:
    """Decide the names of the results of all images of a run, no name twice.

    The names follow from the list alone, so they are the same in each process and in each epoch. Of an address or path
    the file name counts, without the suffix of an image. A name that another image has, in any case and with '__' for
    '/', receives a number.

    Args:
        images (Sequence[str]): Paths and addresses of the images.
        folders (bool): Whether the names start with the folders below the one that all images are in.

    Returns:
        list[str]: Names without suffix; '/' separates folders.

    Example:
        >>> output_names(['a/0.jpg', 'a/0.png', 'b/scan.001'])
        ['0', '0_2', 'scan.001']
    """
    paths = [os.path.abspath(path) for path in images] if folders else [_file_name(image) for image in images]
    root = os.path.commonpath({os.path.dirname(path) for path in paths}) if folders and paths else ''
    names, used = [], set()
    for path in paths:
        stem = _without_suffix(os.path.relpath(path, root).replace(os.sep, '/') if folders else path)
        name, count = stem, 1
        while _key(name) in used:
            count += 1
            name = f'{stem}_{count}'
        used.add(_key(name))
        names.append(name)
    return names


def _file_name(image: str) -> str:
    path = image.partition('?')[0] if '://' in image else image
    return os.path.basename(path.rstrip('/')) or 'image'


def _without_suffix(name: str) -> str:
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() in IMAGE_SUFFIXES else name


def _key(name: str) -> str:
    return name.replace('/', '__').casefold()  # as file systems and visualization backends compare them


def _is_special(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()
