"""Folder of the page's files: uploads and results."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

FULL = (
    'The page has no room for more images ({limit} MB). Images are deleted an hour after their upload: '
    'try again later, or start tools/webui.py with a larger --max-disk.'
)


class Refused(Exception):
    """A request that the page does not answer.

    Args:
        status (int): HTTP status.
        message (str): Reason, for the user.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Uploads:
    """Folder that holds all files of the page, and no others.

    Args:
        folder (str): Folder. Gradio writes uploads into it, moves them into subfolders when they are complete, and
            deletes them after an hour.
        limit (int): MB that it may hold in addition to the examples.
    """

    def __init__(self, folder: str, limit: int) -> None:
        self.folder = Path(os.path.realpath(folder))
        self.limit = limit
        self.examples = 0  # bytes
        self.incoming: list[int] = []  # bytes of each upload that is under way

    def contains(self, path: str) -> bool:
        """Return whether a path, after links and '..', is inside the folder."""
        try:
            return Path(os.path.realpath(path)).is_relative_to(self.folder)
        except ValueError:  # no file can have this name
            return False

    def used(self) -> int:
        """Return the bytes of all files."""
        size = 0
        for path in self.folder.rglob('*'):
            with suppress(FileNotFoundError):  # it was deleted in the meantime
                size += path.stat().st_size
        return size

    @contextmanager
    def reserve(self, size: int) -> Iterator[None]:
        """Hold room for an upload while it is received.

        Args:
            size (int): Bytes.

        Raises:
            Refused: If there is too little room.
        """
        if self.used() - self.examples + sum(self.incoming) + size > self.limit * 2**20:
            raise Refused(413, FULL.format(limit=self.limit))
        self.incoming.append(size)
        try:
            yield
        finally:
            self.incoming.remove(size)
            if not self.incoming:
                self.delete_interrupted()

    def delete_interrupted(self) -> None:
        """Delete what interrupted uploads left; Gradio keeps it."""
        for path in self.folder.iterdir():
            if path.is_file():
                path.unlink()
