"""Names of results that do not collide."""

import os
from collections.abc import Sequence
from pathlib import PurePosixPath

#: suffixes of images, which the names of results do not keep
IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp', '.ppm', '.pgm')
#: suffixes of videos, likewise
VIDEO_SUFFIXES = (
    '.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v', '.mpg', '.mpeg', '.ts', '.wmv', '.flv', '.asf',
)  # fmt: skip


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
    the file name counts, without the suffix of an image or a video. A name that an earlier image has receives a number.
    If there are videos, so does the name of a folder, because the frames of a video have a folder of their own.

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
    names = [os.path.relpath(path, root).replace(os.sep, '/') for path in paths]
    if any(name.lower().endswith(VIDEO_SUFFIXES) for name in names):
        for folder in sorted({str(folder) for name in names for folder in PurePosixPath(name).parents}):
            unique(folder)
    return [unique(_without_suffix(name)) for name in names]


def _file_name(image: str) -> str:
    path = image.partition('?')[0] if '://' in image else image
    return os.path.basename(path.rstrip('/')) or 'image'


def _without_suffix(name: str) -> str:
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() in IMAGE_SUFFIXES + VIDEO_SUFFIXES else name
