"""Tables of images: joined over folds in the order of their names, and refused if they do not fit together."""

import numpy as np
import pytest

from sr4ir_mm.analysis.image_tables import ImageTable, join_tables, read_table
from sr4ir_mm.errors import SR4IRError


def table(images: str, classes: str = 'xy', **arrays) -> ImageTable:
    return ImageTable(list(images), list(classes), {key.replace('__', '.'): np.array(v) for key, v in arrays.items()})


def test_values_follow_their_images():
    joined = join_tables([table('db', top1__correct=[1, 2]), table('ca', top1__correct=[3, 4])])
    assert joined.images == list('abcd') and joined.of('top1')['correct'].tolist() == [4, 2, 3, 1]


def test_detections_follow_their_images():
    parts = [
        table('ca', m__image=[0, 1, 1], m__score=[0.1, 0.2, 0.3], m__objects=[[1, 0], [2, 0]]),
        table('b', m__image=[0], m__score=[0.4], m__objects=[[3, 1]]),
    ]
    joined = join_tables(parts).of('m')
    assert joined['image'].tolist() == [2, 0, 0, 1] and joined['score'].tolist() == [0.1, 0.2, 0.3, 0.4]
    assert joined['objects'].tolist() == [[2, 0], [3, 1], [1, 0]]


def test_tables_that_do_not_fit_together():
    with pytest.raises(SR4IRError, match="'a' was tested twice"):
        join_tables([table('ab'), table('ca')])
    with pytest.raises(SR4IRError, match='other classes or metrics'):
        join_tables([table('a'), table('b', classes='yx')])


def test_a_file_that_is_none(tmp_path):
    for content in (b'', b'no zip', b'PK\x03\x04 a part of one'):
        (tmp_path / 'x.npz').write_bytes(content)
        with pytest.raises(SR4IRError, match=r"x.npz' holds no results of images"):
            read_table(tmp_path / 'x.npz')
    np.savez(tmp_path / 'y.npz', images=np.array(['a'], object))  # a pickle
    with pytest.raises(SR4IRError, match='holds no results of images'):
        read_table(tmp_path / 'y.npz')
