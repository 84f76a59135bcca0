import mmcv
import numpy as np
import pytest
from mmengine.registry import TRANSFORMS

import sr4ir_mm  # noqa: F401  (restores the names)


def test_names_that_the_zoos_use():
    assert np.bool8 is np.bool_
    values = np.array([[1, 2], [3, 4]])
    assert np.in1d(values, [2, 5, 4]).tolist() == [False, True, False, True]


@pytest.mark.parametrize('backend', ['pillow', 'cv2'])
@pytest.mark.parametrize('shift', [-85, -1, 0, 85])
def test_hue_moves_in_both_directions(backend, shift):
    """A third of the circle makes red green, or blue."""
    red = np.zeros((2, 2, 3), np.uint8)
    red[..., 2] = 255  # BGR
    moved = mmcv.adjust_hue(red, (shift + np.sign(shift) * 0.5) / 255, backend=backend)[0, 0]
    assert 'rgb'[2 - np.argmax(moved)] == {-85: 'b', 85: 'g'}.get(shift, 'r')
    assert moved.max() == 255 and sorted(moved)[1] <= 10


def test_color_jitter_of_mmpretrain_takes_any_hue():
    jitter = TRANSFORMS.build(dict(type='mmpretrain.ColorJitter', hue=0.5, backend='pillow'))
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    assert all(jitter(dict(img=image.copy()))['img'].shape == (8, 8, 3) for _ in range(20))
