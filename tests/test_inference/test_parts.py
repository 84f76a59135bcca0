"""The rows of all shards, read as one list."""

import json
from contextlib import contextmanager
from pathlib import Path

import pytest

from sr4ir_mm.inference.journal import ROWS, part_folder
from sr4ir_mm.inference.parts import OPEN, all_rows
from sr4ir_mm.inference.shards import Shard

resource = pytest.importorskip('resource')


@contextmanager
def limit_of_files(count: int):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def write_shards(folder: Path, shards: int, images: int) -> None:
    names = list(range(images))
    for index in range(1, shards + 1):
        path = part_folder(folder, Shard(index, shards)) / ROWS
        path.parent.mkdir(parents=True)
        rows = [dict(index=i, name=str(i)) for i in Shard(index, shards).select(names)]
        path.write_text(''.join(f'{json.dumps(row)}\n' for row in [{}, *rows]))


def test_more_shards_than_files_that_may_be_open(tmp_path):
    write_shards(tmp_path, 5 * OPEN, 11 * OPEN)
    with limit_of_files(4 * OPEN):
        rows = all_rows(tmp_path, 5 * OPEN)
        for _ in range(2):  # tables read them more than once
            assert [row['name'] for row in rows] == [str(i) for i in range(11 * OPEN)]
