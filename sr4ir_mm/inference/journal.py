"""What is done of a run, on disk: one line for each image, so that nothing is lost, and memory does not grow."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from ..errors import SR4IRError
from ..utils.files import new_file, write_file
from .shards import Shard
from .video import is_video, shown

#: files of a shard
ROWS, DONE = 'rows.jsonl', 'done.json'


def part_folder(out_dir: Path, shard: Shard) -> Path:
    """Return the folder for the rows of a shard."""
    return out_dir / '.run' / f'{shard.index}-of-{shard.count}'


def digest(images: Sequence[str], names: Sequence[str]) -> str:
    """Return what identifies the list of all images, and the names of their results."""
    found = hashlib.sha256()
    for pair in zip(images, names):
        found.update('\0'.join((*pair, '')).encode(errors='surrogateescape'))
    return found.hexdigest()


class Journal:
    """Rows of one shard.

    The file begins with the record of the run, see :func:`run_record`. An image has a line when all its files are
    written; a video has one for each frame, and one at its end.

    Args:
        folder (Path): Folder of this shard alone.
        record (dict): What made the results.
        images (Mapping[str, tuple[int, str]]): Position among all images and path of each image of the shard, by the
            name of its results.

    Example:
        >>> with open_journal(folder, record, images, resume=True) as journal:
        ...     for name in images.keys() - journal.done:
        ...         journal.add(dict(image=images[name][1], name=name))
    """

    def __init__(self, folder: Path, record: dict, images: Mapping[str, tuple[int, str]]) -> None:
        self.folder = folder
        self.record = record
        self.images = images
        self.done: set[str] = set()
        self._video = ''
        self._file: IO[str]

    def add(self, row: dict, failed: Iterable[str] = ()) -> None:
        """Append the row of an image or a frame, which ends the video before it.

        Args:
            row (dict): Row with ``image`` (its path) and ``name``.
            failed (Iterable[str]): Paths of images, frames and videos that have no result.
        """
        source = self._source(row['name'])
        if source != self._video:
            self._end_video(failed)
        index, path = self.images[source]
        self._video = source if is_video(path) else ''
        self._write(dict(index=index, **row))

    def finish(self, inputs: str, failed: Mapping[str, str]) -> None:
        """Note that the shard is complete.

        Args:
            inputs (str): What identifies all images, see :func:`digest`.
            failed (Mapping[str, str]): Why images have no result, by their paths.
        """
        self._end_video(failed)
        content = dict(record=self.record, inputs=inputs, failed=dict(failed))
        write_file(self.folder / DONE, json.dumps(content, indent=1))

    def keep(self, is_written: Callable[[str, str], bool]) -> None:
        """Keep the rows of an earlier run whose images are complete; the others are made again."""
        path = self.folder / ROWS
        for row in read_rows(path):
            source = self._source(row['name'])
            index, image = self.images.get(source, (0, ''))
            is_end = source == row['name'] and shown(image) == row['image'] and bool(row.get('end')) == is_video(image)
            is_end = is_end and row.get('is_complete', True)
            if source in self.images and is_end and is_written(source, image):
                self.done.add(source)
        kept = (row for row in read_rows(path) if self._source(row['name']) in self.done)
        with new_file(path) as partial, open(partial, 'w', encoding='utf-8') as file:
            file.write(f'{json.dumps(self.record)}\n')
            for row in kept:
                index, _ = self.images[self._source(row['name'])]
                file.write(f'{json.dumps(dict(row, index=index))}\n')

    def _source(self, name: str) -> str:
        """Return the name of an image, or that of the video of a frame."""
        return name if name in self.images else name.rpartition('/')[0]

    def _end_video(self, failed: Iterable[str]) -> None:
        name, self._video = self._video, ''
        if name:
            index, path = self.images[name]
            if not any(shown(re.sub(r'#\d+$', '', entry)) == shown(path) for entry in failed):
                self._write(dict(index=index, image=path, name=name, end=True))

    def _write(self, row: dict) -> None:
        row['image'] = shown(row['image'])
        try:
            self._file.write(f'{json.dumps(row)}\n')
            self._file.flush()
        except OSError as error:
            raise SR4IRError(
                f"'{self.folder / ROWS}' cannot be written: {error.strerror or error}. Make room, and go on with "
                '--resume.'
            ) from error


@contextmanager
def open_journal(
    folder: Path,
    record: dict,
    images: Mapping[str, tuple[int, str]],
    is_written: Callable[[str, str], bool] | None = None,
) -> Iterator[Journal]:
    """Open the rows of a shard; the caller keeps other processes out of the folder.

    Args:
        folder (Path): Folder of this shard.
        record (dict): What made the results.
        images (Mapping[str, tuple[int, str]]): See :class:`Journal`.
        is_written (Callable, optional): Function from the name and the path of an image to whether its files exist, to
            continue an earlier run; None to start from the beginning.
    """
    journal = Journal(folder, record, images)
    (folder / DONE).unlink(missing_ok=True)
    if is_written and (folder / ROWS).exists():
        journal.keep(is_written)
    else:
        write_file(folder / ROWS, f'{json.dumps(record)}\n')
    with open(folder / ROWS, 'a', encoding='utf-8') as journal._file:
        yield journal


def read_rows(path: Path) -> Iterator[dict]:
    """Yield the rows of a shard; a line that a full disk or a kill has cut is none."""
    for _, row in places(path):
        yield row


def places(path: Path) -> Iterator[tuple[int, dict]]:
    """Yield the offset of each row in its file, and the row."""
    with open(path, 'rb') as file:
        offset = len(file.readline())
        for line in file:
            with suppress(ValueError):
                yield offset, json.loads(line)
            offset += len(line)
