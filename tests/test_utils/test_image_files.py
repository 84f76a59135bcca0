"""Image files."""

import cv2
import numpy as np
import pytest

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.utils import write_image


def test_colors_and_bits(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    write_image(tmp_path / 'a/x.png', image)
    assert np.array_equal(cv2.imread(str(tmp_path / 'a/x.png'))[..., ::-1], image)
    write_image(tmp_path / 'y.png', image[..., 0].astype(np.uint16) * 257)
    assert cv2.imread(str(tmp_path / 'y.png'), cv2.IMREAD_UNCHANGED).max() == 257 * int(image[..., 0].max())


@pytest.mark.parametrize(
    ('name', 'shape'), [('x', (4, 4, 3)), ('x.xyz', (4, 4, 3)), ('x.jpg', (70000, 1, 3)), ('x.webp', (17000, 1, 3))]
)
def test_what_opencv_cannot_write(tmp_path, name, shape):
    with pytest.raises(SR4IRError, match=f"{name}' cannot be written: OpenCV"):
        write_image(tmp_path / name, np.zeros(shape, np.uint8))
    assert not list(tmp_path.iterdir())
