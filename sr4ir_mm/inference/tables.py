"""One file for the predictions of all images: JSON lines, COCO or Parquet, written row by row."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import IO

from ..errors import SR4IRError
from ..utils.files import check_writable, new_file
from .coco_rows import coco_annotations, coco_categories, coco_image

#: rows of a row group of Parquet, which are in memory at once
GROUP = 1000
FORMATS = {'.jsonl': 'lines', '.json': 'coco', '.parquet': 'parquet'}


def table_files(predictions: str | None, coco: str | None) -> dict[Path, str]:
    """Return the files that the user asks for, and their formats, after a look whether they can be written.

    Args:
        predictions (str, optional): File whose suffix, one of :data:`FORMATS`, names its format.
        coco (str, optional): File in COCO's format, with any suffix.

    Raises:
        SR4IRError: If a suffix is unknown, a file cannot be written, or pyarrow is missing.
    """
    files = {Path(coco): 'coco'} if coco else {}
    if predictions:
        path = Path(predictions)
        if path in files or path.suffix not in FORMATS:
            raise SR4IRError(
                f"--predictions {predictions}: name a file that ends with '.jsonl' (JSON lines), '.json' (COCO) or "
                "'.parquet', and another one than --coco."
            )
        files[path] = FORMATS[path.suffix]
    if 'parquet' in files.values():
        pyarrow()
    for path in files:
        check_writable(path)
    return files


def write_table(path: Path, kind: str, rows: Iterable[dict], classes: Sequence[str]) -> None:
    """Write rows, see :func:`to_row`, to a file.

    Args:
        path (Path): File.
        kind (str): One of the values of :data:`FORMATS`.
        rows (Iterable[dict]): Rows, which are read more than once.
        classes (Sequence[str]): Names of the classes, by label.
    """
    with new_file(path) as partial:
        if kind == 'parquet':
            _write_parquet(partial, rows, classes)
            return
        with open(partial, 'w', encoding='utf-8') as file:
            if kind == 'lines':
                file.writelines(f'{json.dumps(row)}\n' for row in rows)
            else:
                _write_coco(file, rows, classes)


def _write_coco(file: IO[str], rows: Iterable[dict], classes: Sequence[str]) -> None:
    parts: Mapping[str, Iterator[dict]] = dict(
        categories=iter(coco_categories(classes)),
        images=(coco_image(row, i) for i, row in enumerate(rows, 1)),
        annotations=_annotations(rows),
    )
    for i, (name, entries) in enumerate(parts.items()):
        file.write(f'{"," if i else "{"}\n"{name}": [')
        for j, entry in enumerate(entries):
            file.write(f'{"," if j else ""}\n{json.dumps(entry)}')
        file.write(']')
    file.write('}\n')


def _annotations(rows: Iterable[dict]) -> Iterator[dict]:
    last = 0
    for i, row in enumerate(rows, 1):
        for entry in coco_annotations(row, i, last + 1):
            last = entry['id']
            yield entry


def _write_parquet(path: Path, rows: Iterable[dict], classes: Sequence[str]) -> None:
    arrow, parquet = pyarrow(), pyarrow('parquet')
    schema = arrow.schema([])
    for group in _groups(rows):  # lists without entries have no type yet
        schema = arrow.unify_schemas([schema, _schema(arrow, group)], promote_options='permissive')
    schema = schema.with_metadata({'classes': json.dumps(list(map(str, classes)))})
    with parquet.ParquetWriter(path, schema, compression='zstd') as writer:
        for group in _groups(rows):
            writer.write_table(arrow.Table.from_pylist(group, schema))


def column_types() -> dict:
    """Return the types of the usual columns that hold lists, which may be empty; networks compute in float32."""
    arrow = pyarrow()
    number, label = arrow.float32(), arrow.int64()
    mask = arrow.struct([('counts', arrow.string()), ('size', arrow.list_(arrow.int32()))])
    types = dict(bboxes=arrow.list_(number), scores=number, labels=label, masks=mask)
    return {name: arrow.list_(kind) for name, kind in {**types, 'pred_label': label, 'pred_score': number}.items()}


def _schema(arrow: ModuleType, group: list[dict]):
    """Return the types of all columns; pyarrow itself takes those of the first row."""
    names = dict.fromkeys(name for row in group for name in row)
    known = column_types()
    return arrow.schema(
        [(name, known.get(name) or arrow.array([row.get(name) for row in group]).type) for name in names]
    )


def _groups(rows: Iterable[dict]) -> Iterator[list[dict]]:
    rows = iter(rows)
    while group := list(islice(rows, GROUP)):
        yield group


def pyarrow(part: str = '') -> ModuleType:
    """Return pyarrow, or its module for Parquet.

    Raises:
        SR4IRError: If it is not installed, or not for this version of NumPy.
    """
    try:
        import_module('pyarrow.parquet')
    except ImportError as error:
        is_missing = isinstance(error, ModuleNotFoundError) and error.name == 'pyarrow'
        problem = 'is not installed' if is_missing else f'cannot be imported ({error})'
        raise SR4IRError(f"pyarrow, which writes Parquet, {problem}: pip install 'sr4ir_mm[parquet]'") from error
    return import_module('pyarrow.parquet' if part else 'pyarrow')
