"""The rows of all shards, in the order of the images."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path

import numpy as np

from .journal import DONE, ROWS, part_folder, places
from .shards import Shard

_PLACE = [('index', np.int64), ('file', np.int32), ('offset', np.int64)]
#: files that are open at once; those beyond are opened for each row, as systems set limits from 256 on
OPEN = 100


class Rows:
    """Rows of several files, one after the other in the order of their images, as one process would have made them.

    Memory holds 20 bytes for each row. Rows may be read several times.

    Args:
        files (Sequence[Path]): Files of :class:`Journal`.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = files
        found = (
            (row['index'], i, offset)
            for i, path in enumerate(files)
            for offset, row in places(path)
            if not row.get('end')
        )
        found = np.fromiter(found, _PLACE)
        self.places = found[np.argsort(found['index'], kind='stable')]  # frames of a video keep their order

    def __iter__(self) -> Iterator[dict]:
        with ExitStack() as stack:
            opened = [stack.enter_context(open(path, 'rb')) for path in self.files[:OPEN]]
            for _, i, offset in self.places:
                with nullcontext(opened[i]) if i < OPEN else open(self.files[i], 'rb') as file:
                    file.seek(offset)
                    row = json.loads(file.readline())
                del row['index']
                yield row


def unfinished(out_dir: Path, shards: int, record: dict, inputs: str) -> list[int]:
    """Return the numbers of the shards that are not complete, or are of other images or of another run."""
    missing = []
    for index in range(1, shards + 1):
        path = part_folder(out_dir, Shard(index, shards)) / DONE
        content = json.loads(path.read_text()) if path.exists() else {}
        if content.get('record') != record or content.get('inputs') != inputs:
            missing.append(index)
    return missing


def all_rows(out_dir: Path, shards: int) -> Rows:
    """Return the rows of all shards."""
    return Rows([part_folder(out_dir, Shard(index, shards)) / ROWS for index in range(1, shards + 1)])
