"""The content of a report about a run."""

import base64
import math

import cv2
import numpy as np
import pytest
from helpers.logs import write_run, write_test

from sr4ir_mm.analysis.scalars import Curve, read_curves
from sr4ir_mm.analysis.summary import curve_image, panel_images, summarize
from sr4ir_mm.errors import SR4IRError


@pytest.mark.parametrize('where', ['.', 'test'])
def test_metrics_of_the_latest_test(tmp_path, where):
    curves = read_curves(write_run(tmp_path))
    validated = summarize('a', tmp_path, curves)
    assert (validated.metrics, validated.measured) == ({'mIoU': 50}, 'validation, epoch 2')
    values = {'mIoU': 51.0, 'time': 0.1, 'data_time': 0.1, 'coco/bbox_mAP_s': -1.0, 'coco/x_precision': math.nan}
    write_test(tmp_path / where, '20260101_000001', '20260101_000000', (tmp_path / 'net.py').read_text(), **values)
    tested = summarize('a', tmp_path, curves)
    assert (tested.metrics, tested.measured) == ({'mIoU': 51}, 'test of epoch_2.pth, 2026-01-01 00:00:01')
    assert (tested.scheme, tested.task, tested.sr, tested.scale) == ('S+T', 'EncoderDecoder, ResNet', 'EDSRNet', 'x4')
    assert tested.config.startswith('model = dict(')


def test_before_the_first_validation_and_without_s(tmp_path):
    write_run(tmp_path, "model = dict(type='sr4ir_mm.SR4IR', scheme='L->T', sr=None, task=dict(type='Net'))\n")
    summary = summarize('a', tmp_path, {})
    assert (summary.metrics, summary.measured) == ({}, 'not yet')
    assert (summary.task, summary.sr, summary.scale) == ('Net', '-', '-')


def test_a_test_that_is_not_comparable(tmp_path):
    curves, config = read_curves(write_run(tmp_path)), (tmp_path / 'net.py').read_text()
    write_test(tmp_path, '20260101_000001', '20250101_000000', config, mIoU=51.0)  # of another training
    assert summarize('a', tmp_path, curves).metrics == {'mIoU': 50}
    write_test(tmp_path, '20260101_000002', '20260101_000000', config + 'test_cfg = dict(x=1)', mIoU=51.0)
    measured = summarize('a', tmp_path, curves).measured
    assert measured == 'test of epoch_2.pth, 2026-01-01 00:00:02, with another test_cfg'


def test_metrics_of_one_validation(tmp_path):
    """A metric that only earlier ones measured is not among them."""
    write_run(tmp_path)
    curves = read_curves(tmp_path) | dict(
        mAcc=Curve('epoch', True, [1], [60.0]), fine=Curve('epoch', True, [2], [70.0])
    )
    summary = summarize('a', tmp_path, curves)
    assert (summary.metrics, summary.measured) == ({'mIoU': 50, 'fine': 70}, 'validation, epoch 2')


def test_no_config(tmp_path):
    with pytest.raises(SR4IRError, match='No config of a run found in'):
        summarize('a', tmp_path, {})


@pytest.mark.parametrize('content', ['', 'nonsense\n', '{"mIoU": 1\n', '[1]'])
def test_a_damaged_file_of_metrics_is_named(tmp_path, content):
    curves = read_curves(write_run(tmp_path))
    write_test(tmp_path, '20260101_000001', '20260101_000000', mIoU=51.0)
    path = tmp_path / '20260101_000001/20260101_000001.json'
    path.write_text(content)
    with pytest.raises(SR4IRError, match=f"'{path}' (cannot be read|holds no metrics|is no file of results)"):
        summarize('a', tmp_path, curves)


@pytest.mark.parametrize('content', [b'', b'nonsense'])
def test_a_damaged_panel_is_named(tmp_path, content):
    (tmp_path / '1.png').write_bytes(content)
    with pytest.raises(SR4IRError, match=rf"Panel '{tmp_path}/1\.png' cannot be read"):
        panel_images(tmp_path, 2)
    with pytest.raises(SR4IRError, match='max_panels=0 must be a whole number, 1 or more'):
        panel_images(tmp_path, 0)


def test_images(tmp_path):
    pixels = np.full((40, 30, 3), 77, np.uint8)
    for name in ('b/1.png', '2.png', '1.png'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / name), pixels)
    images = panel_images(tmp_path, 2)
    assert list(images) == ['1', 'b/1']
    kind, _, data = images['1'].partition(';base64,')
    shown = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
    assert kind == 'data:image/jpeg' and np.abs(shown.astype(int) - pixels).max() < 3
    assert list(panel_images(tmp_path, 9)) == ['1', '2', 'b/1']
    with pytest.raises(SR4IRError, match='--show-dir'):
        panel_images(tmp_path / 'nothing', 2)


def test_curve_image(tmp_path):
    image = curve_image(dict(a=read_curves(write_run(tmp_path))), 'mIoU')
    kind, _, data = image.partition(';base64,')
    assert kind == 'data:image/svg+xml' and b'</svg>' in base64.b64decode(data)
