"""Curves from the logs of MMEngine."""

import math

import pytest
from helpers.logs import train, val, write_run, write_scalars

from sr4ir_mm.analysis.scalars import read_curves, select
from sr4ir_mm.errors import SR4IRError


def test_a_training_by_epochs(tmp_path):
    curves = read_curves(write_run(tmp_path))
    assert list(curves)[:3] == ['mIoU', 'data_time', 'val/time'] and 'time' in curves and 'iter' not in curves
    assert (curves['mIoU'].unit, curves['mIoU'].x, curves['mIoU'].y) == ('epoch', [1, 2], [40, 50])
    assert (curves['loss'].unit, curves['loss'].x, curves['loss'].y) == ('iteration', [5, 10, 15, 20], [5, 10, 15, 20])
    assert curves['sr.loss_tdp'].x == [15, 20]  # after the warm-up
    assert [name for name, curve in curves.items() if curve.measured] == ['mIoU', 'data_time', 'val/time']


def test_a_training_by_iterations(tmp_path):
    lines = [dict(loss=1.0, iter=50, step=50), dict(mIoU=30.0, time=1.0, step=50)]
    write_scalars(tmp_path, 'a', lines)
    assert read_curves(tmp_path)['mIoU'].unit == 'iteration'


def test_resumed(tmp_path):
    """The first start got to iteration 27, its last checkpoint was that of epoch 2; the second one goes on from it."""
    write_scalars(tmp_path, '1', [*train(5, 10), val(1, mIoU=1.0), *train(15, 20), val(2, mIoU=2.0), *train(22, 27)])
    write_scalars(tmp_path, '2', [*train(25, 30, old=0.0), val(3, mIoU=3.0)], resume='epoch_2.pth')
    curves = read_curves(tmp_path)
    assert curves['loss'].x == [5, 10, 15, 20, 22, 25, 30]
    assert curves['mIoU'].x == [1, 2, 3] and curves['mIoU'].y == [1, 2, 3]


def test_a_validation_that_was_repeated(tmp_path):
    """The first start was killed after it had logged the validation, and before it had saved the best checkpoint."""
    write_scalars(tmp_path, '1', [*train(5, 10), val(1, mIoU=1.0), *train(15, 20), val(2, mIoU=2.0)])
    write_scalars(tmp_path, '2', [val(2, mIoU=2.0), *train(25, 30), val(3, mIoU=3.0)], resume='epoch_2.pth')
    curves = read_curves(tmp_path)
    assert curves['mIoU'].x == [1, 2, 3] and curves['mIoU'].y == [1, 2, 3]


def test_started_again(tmp_path):
    """The first training left no checkpoint; the second one logs less often, and has not been validated yet."""
    write_scalars(tmp_path, '1', [*train(5, 10, old=0.0), val(1, mIoU=1.0), *train(15)])
    write_scalars(tmp_path, '2', train(10, 20))
    curves = read_curves(tmp_path)
    assert curves['loss'].x == [10, 20] and not {'mIoU', 'old'} & set(curves)


def test_back_to_an_earlier_checkpoint(tmp_path):
    """What was measured in between is of another branch, also before the new one is measured."""
    first = [*train(5, 10), val(1, mIoU=1.0), *train(15, 20), val(2, mIoU=2.0), *train(25, 30), val(3, mIoU=3.0)]
    write_scalars(tmp_path, '1', first)
    write_scalars(tmp_path, '2', train(15, old=1.0), resume='epoch_1.pth')
    curves = read_curves(tmp_path)
    assert curves['loss'].x == [5, 10, 15] and curves['mIoU'].x == [1] and curves['old'].x == [15]


def test_nothing_to_measure(tmp_path):
    write_scalars(tmp_path, '1', [*train(10), val(1, **{'coco/bbox_mAP_s': -1.0, 'coco/AR@100': -1.0, 'score': -1.0})])
    curves = read_curves(tmp_path)
    assert math.isnan(curves['coco/bbox_mAP_s'].y[0]) and math.isnan(curves['coco/AR@100'].y[0])
    assert curves['score'].y == [-1]


def test_while_it_is_written(tmp_path):
    path = write_scalars(tmp_path, '1', train(5, 10), end='\n{"loss": 0.')
    assert read_curves(tmp_path)['loss'].x == [5, 10]
    write_scalars(tmp_path, '2', [], resume='epoch_1.pth')
    path.write_text(path.read_text().replace('5.0', 'NaN'))
    assert read_curves(tmp_path)['loss'].y[0] != read_curves(tmp_path)['loss'].y[0]


@pytest.mark.parametrize(
    ('content', 'reason'),
    [
        (b'{"loss": 1.0, "iter": 5}\nnonsense\n{"loss": 1.0, "iter": 6}\n', 'cannot be read'),
        (b'{"loss": 1.0, "iter": 5}\n\x00\x00\x00\n', 'cannot be read'),
        (b'\xff\xfe\xfd\n', 'cannot be read'),
        (b'[1, 2]\n', 'is no file of results'),
        (b'{"loss": 1.0}\n', "has a line without 'iter' or 'step'"),
        (b'{"loss": 1.0, "iter": "x"}\n', "has a line without 'iter' or 'step'"),
        (b'', 'found in'),
    ],
)
def test_a_damaged_file_is_named(tmp_path, content, reason):
    path = write_scalars(tmp_path, '1', [])
    path.write_bytes(content)
    with pytest.raises(SR4IRError, match=reason) as error:
        read_curves(tmp_path)
    assert str(tmp_path if reason == 'found in' else path) in str(error.value)


def test_a_folder_in_place_of_the_file(tmp_path):
    (tmp_path / '1/vis_data/scalars.json').mkdir(parents=True)
    with pytest.raises(SR4IRError, match=r'scalars\.json. cannot be read .*directory'):
        read_curves(tmp_path)


def test_entries_other_than_numbers_are_left_out(tmp_path):
    write_scalars(tmp_path, '1', train(1, names=['a'], text='b'))
    assert set(read_curves(tmp_path)) == {'loss', 'sr.lr', 'time'}


def test_no_training(tmp_path):
    with pytest.raises(SR4IRError, match='name the work dir of a training'):
        read_curves(tmp_path)


def test_select():
    names = ['mIoU', 'val/time', 'data_time', 'sr.lr', 'lr', 'sr.loss_pix', 'sr.loss_tdp', 'grad_norm']
    assert select(names) == ['mIoU', 'sr.loss_pix', 'sr.loss_tdp', 'grad_norm']
    assert select(names, ['sr.loss_*', '*.lr']) == ['sr.lr', 'sr.loss_pix', 'sr.loss_tdp']
    with pytest.raises(SR4IRError, match=r"'psnr'; choose from: mIoU, val/time"):
        select(names, ['mIoU', 'psnr'])
