"""The content of a report about a run."""

import base64
import json

import cv2
import numpy as np
import pytest
from helpers.logs import write_run

from sr4ir_mm.analysis.scalars import read_curves
from sr4ir_mm.analysis.summary import curve_image, panel_images, summarize
from sr4ir_mm.errors import SR4IRError


def write_test(folder, stamp: str, **metrics: float) -> None:
    (folder / stamp).mkdir(parents=True)
    (folder / stamp / f'{stamp}.json').write_text(json.dumps(metrics) + '\n')


@pytest.mark.parametrize('where', ['.', 'test'])
def test_metrics_of_the_latest_test(tmp_path, where):
    curves = read_curves(write_run(tmp_path))
    validated = summarize('a', tmp_path, curves)
    assert (validated.metrics, validated.measured) == ({'mIoU': 50}, 'validation, epoch 2')
    write_test(tmp_path / where, '20260101_000001', mIoU=51.0, time=0.1, data_time=0.1)
    tested = summarize('a', tmp_path, curves)
    assert (tested.metrics, tested.measured) == ({'mIoU': 51}, 'test')
    assert (tested.scheme, tested.task, tested.sr, tested.scale) == ('S+T', 'EncoderDecoder, ResNet', 'EDSRNet', 'x4')
    assert tested.config.startswith('model = dict(')


def test_before_the_first_validation_and_without_s(tmp_path):
    write_run(tmp_path, "model = dict(type='sr4ir_mm.SR4IR', scheme='L->T', sr=None, task=dict(type='Net'))")
    summary = summarize('a', tmp_path, {})
    assert (summary.metrics, summary.measured) == ({}, 'not yet')
    assert (summary.task, summary.sr, summary.scale) == ('Net', '-', '-')


def test_no_config(tmp_path):
    with pytest.raises(SR4IRError, match='No config of a run found in'):
        summarize('a', tmp_path, {})


@pytest.mark.parametrize('content', ['', 'nonsense\n', '{"mIoU": 1\n', '[1]'])
def test_a_damaged_file_of_metrics_is_named(tmp_path, content):
    curves = read_curves(write_run(tmp_path))
    write_test(tmp_path, '20260101_000001', mIoU=51.0)
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
