"""Tables of predictions: the same rows in each format, with memory for some of them."""

import json
from pathlib import Path

import pytest
from pycocotools.coco import COCO

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.inference import tables
from sr4ir_mm.inference.tables import table_files, write_table

MASK = dict(size=[8, 12], counts='T1')


def row(i: int, count: int, **values) -> dict:
    boxes = [[1.0, 2.0, 5.0, 4.5]] * count
    objects = dict(bboxes=boxes, scores=[0.5] * count, labels=list(range(count)))
    return dict(image=f'in/{i}.png', name=f'{i}', width=12, height=8, **objects, **values)


ROWS = [row(0, 0), row(1, 2), row(2, 0), row(3, 1)]


def test_json_lines(tmp_path):
    write_table(tmp_path / 'a.jsonl', 'lines', ROWS, ['x', 'y'])
    assert [json.loads(line) for line in (tmp_path / 'a.jsonl').open()] == ROWS


@pytest.mark.parametrize('rows', [ROWS, []], ids=['some', 'none'])
def test_coco(rows, tmp_path):
    write_table(tmp_path / 'a.json', 'coco', rows, ['x', 'y'])
    coco = COCO(tmp_path / 'a.json')
    assert [image['file_name'] for image in coco.loadImgs(coco.getImgIds())] == [row['image'] for row in rows]
    found = coco.loadAnns(coco.getAnnIds())
    assert [(entry['id'], entry['image_id'], entry['category_id']) for entry in found] == [
        (1, 2, 1), (2, 2, 2), (3, 4, 1),
    ][: 3 * bool(rows)]  # fmt: skip
    assert all(entry['bbox'] == [1, 2, 4, 2.5] and entry['area'] == 10 for entry in found)


def test_a_box_that_is_not_finite_is_no_object(tmp_path):
    broken = row(0, 2)
    broken['bboxes'][0] = [None, 2.0, 5.0, 4.5]
    write_table(tmp_path / 'a.json', 'coco', [broken], 'xy')
    (entry,) = json.loads((tmp_path / 'a.json').read_text())['annotations']
    assert (entry['id'], entry['category_id']) == (1, 2)


@pytest.mark.parametrize('group', [1, 3, 1000])
def test_parquet(group, tmp_path, monkeypatch):
    parquet = pytest.importorskip('pyarrow.parquet', exc_type=ImportError)  # later than 21, it fails with NumPy 1
    monkeypatch.setattr(tables, 'GROUP', group)
    rows = [*ROWS, row(4, 1, masks=[MASK], pred_depth='preds/4_pred_depth.png')]
    write_table(tmp_path / 'a.parquet', 'parquet', rows, ['x', 'y'])
    table = parquet.read_table(tmp_path / 'a.parquet')
    assert [{key: value for key, value in found.items() if value is not None} for found in table.to_pylist()] == rows
    assert json.loads(table.schema.metadata[b'classes']) == ['x', 'y']
    assert parquet.ParquetFile(tmp_path / 'a.parquet').num_row_groups == -(-5 // group)
    assert str(table.schema.field('bboxes').type) == 'list<element: list<element: float>>'
    write_table(tmp_path / 'b.parquet', 'parquet', [], [])
    assert not parquet.read_table(tmp_path / 'b.parquet').to_pylist()


def test_the_suffix_names_the_format(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert table_files(None, None) == {}
    assert table_files('o/a.jsonl', 'a.txt') == {Path('a.txt'): 'coco', Path('o/a.jsonl'): 'lines'}
    for name in ('a.csv', 'a', 'a.txt'):
        with pytest.raises(SR4IRError, match=rf"--predictions {name}: name a file that ends with '\.jsonl'"):
            table_files(name, 'a.txt')
    (tmp_path / 'file').touch()
    with pytest.raises(SR4IRError, match=r"'file/a\.json' cannot be written"):
        table_files('file/a.json', None)


@pytest.mark.parametrize(
    ('error', 'problem'),
    [
        (ModuleNotFoundError("No module named 'pyarrow'", name='pyarrow'), 'is not installed'),
        (ImportError('numpy.core.multiarray failed to import'), r'cannot be imported \(numpy.*failed to import\)'),
    ],
    ids=['missing', 'of another NumPy'],
)
def test_the_message_without_pyarrow(error, problem, monkeypatch):
    def fail(name):
        raise error

    monkeypatch.setattr(tables, 'import_module', fail)
    message = rf"pyarrow, which writes Parquet, {problem}: pip install 'sr4ir_mm\[parquet\]'"
    with pytest.raises(SR4IRError, match=message):
        table_files('a.parquet', None)


def test_what_coco_cannot_hold(tmp_path):
    rows = [dict(image='a', name='a', width=1, height=1, pred_sem_seg='preds/a_pred_sem_seg.png')]
    with pytest.raises(SR4IRError, match=r"COCO has no form for pred_sem_seg: write '\.jsonl' or '\.parquet'"):
        write_table(tmp_path / 'a.json', 'coco', rows, [])
    assert not list(tmp_path.iterdir())
