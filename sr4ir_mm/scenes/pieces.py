"""Finished parts of a scene on disk, so that memory does not grow with it, and a run that was stopped continues."""

import json
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor

from ..utils import new_file, write_file
from .axis import Axis

#: bytes of a result that are joined at once
JOINED_BYTES = 2**25


class Pieces:
    """A folder for the rows of windows of one scene.

    A row is complete when its file ``<number>.json`` exists, which is written last. What is left of a run that was
    stopped is used by the next one if that is the same; else it is deleted.

    Args:
        folder (Path): Folder for this scene alone.
        identity (dict): Plain data that says what the rows are made of and by what.

    Example:
        >>> pieces = Pieces(Path('outputs/preds/.scene.pieces'), identity)
        >>> pieces.is_complete(0)
        False
    """

    def __init__(self, folder: Path, identity: dict) -> None:
        self.folder = folder
        text = json.dumps(identity, sort_keys=True)
        file = folder / 'identity.json'
        if file.is_file() and file.read_text() == text:
            if done := sum(1 for _ in folder.glob('[0-9]*.json')):
                print_log(f'{done} rows of windows are complete; the run continues after them', 'current')
            return
        if folder.exists():
            print_log(f"'{folder}' is of another run, and starts from the beginning", 'current', logging.WARNING)
            shutil.rmtree(folder)
        write_file(file, text)

    def is_complete(self, row: int) -> bool:
        """Return whether everything of a row of windows is written."""
        return self._file(row, 'json').is_file()

    def complete(self, row: int, **found: list) -> None:
        """Write what was found in a row, lists of plain data by name, after everything else of it."""
        write_file(self._file(row, 'json'), json.dumps(found))

    def found(self, name: str, rows: int) -> list:
        """Return what was found in the first rows, joined."""
        return [entry for row in range(rows) for entry in json.loads(self._file(row, 'json').read_text())[name]]

    def keep(self, name: str, row: int, column: int, values: Tensor) -> None:
        """Keep the values at the lower border of a window for the row below."""
        with new_file(self._strip(name, row, column)) as file:
            np.save(file, values.numpy())

    def kept(self, name: str, row: int, column: int) -> Tensor | None:
        """Return what :meth:`keep` wrote; None if that window had no data."""
        file = self._strip(name, row, column)
        return torch.from_numpy(np.load(file)) if file.is_file() else None

    def drop(self, row: int) -> None:
        """Delete the values at the lower borders of a row."""
        for file in self.folder.glob(f'{row:05d}.*.npy'):
            file.unlink()

    @contextmanager
    def writing(self, name: str, row: int) -> Iterator[BinaryIO]:
        """Open a file for the blocks of a row from left to right, each lines x width x channels."""
        with new_file(self._file(row, name)) as path, open(path, 'wb') as file:
            yield file

    def join(self, name: str, rows: Axis, columns: Axis, dtype: type, channels: int = 1) -> Iterator[np.ndarray]:
        """Read a result from top to bottom, some lines at a time.

        Args:
            name (str): Name of the result.
            rows (Axis): Windows from top to bottom.
            columns (Axis): Windows from left to right.
            dtype (type): Type of its numbers.
            channels (int): Values of a pixel.

        Yields:
            np.ndarray: Lines x width x channels.
        """
        width = columns.length * columns.ratio * channels
        lines = max(1, JOINED_BYTES // (width * np.dtype(dtype).itemsize))
        for row in range(len(rows.windows)):
            top, bottom = rows.complete(row)
            for begin in range(0, bottom - top, lines):
                count = min(lines, bottom - top - begin)
                parts = self._lines(self._file(row, name), columns, dtype, channels, bottom - top, begin, count)
                yield np.concatenate(list(parts), 1)

    def _lines(
        self, file: Path, columns: Axis, dtype: type, channels: int, height: int, begin: int, count: int
    ) -> Iterator[np.ndarray]:
        offset = 0
        for column in range(len(columns.windows)):
            left, right = columns.complete(column)
            line = (right - left) * channels
            values = np.fromfile(file, dtype, count * line, offset=(offset + begin * line) * np.dtype(dtype).itemsize)
            yield values.reshape(count, right - left, channels)
            offset += height * line

    def _file(self, row: int, suffix: str) -> Path:
        return self.folder / f'{row:05d}.{suffix}'

    def _strip(self, name: str, row: int, column: int) -> Path:
        return self.folder / f'{row:05d}.{name}.{column:05d}.npy'
