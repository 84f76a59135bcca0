import re

import cv2
import numpy as np
import pytest

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.registry import TRANSFORMS


def load(path, **kwargs):
    return TRANSFORMS.build(dict(type='sr4ir_mm.CheckedLoadImageFromFile', **kwargs)).transform(
        dict(img_path=str(path))
    )


def test_reads_bgr(tmp_path):
    image = np.random.randint(0, 256, (6, 7, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / 'a.png'), image)
    results = load(tmp_path / 'a.png')
    np.testing.assert_array_equal(results['img'], image)
    assert results['img_shape'] == results['ori_shape'] == (6, 7)


def test_gray_file_becomes_three_channels(tmp_path):
    cv2.imwrite(str(tmp_path / 'gray.png'), np.full((5, 5), 7, np.uint8))
    assert load(tmp_path / 'gray.png')['img'].shape == (5, 5, 3)


@pytest.mark.parametrize(
    'content, message',
    [
        (None, r"Image '{}' is missing: check data_prefix"),
        (b'', r"Image '{}' cannot be decoded .*: replace or remove it\."),
        (b'\x89PNG\r\n\x1a\n and then nothing', r"Image '{}' cannot be decoded .*: replace or remove it\."),
    ],
    ids=['missing', 'empty', 'garbage'],
)
@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
def test_error_names_the_file(tmp_path, content, message, backend):
    path = tmp_path / 'b.png'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SR4IRError, match=re.compile(message.format(re.escape(str(path))), re.DOTALL)):
        load(path, imdecode_backend=backend)


def test_missing_file_can_be_skipped_as_in_mmcv(tmp_path):
    assert load(tmp_path / 'none.png', ignore_empty=True) is None
