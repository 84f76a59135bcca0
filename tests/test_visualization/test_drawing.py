"""The visualizer that draws predictions."""

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope
from mmengine.structures import PixelData
from mmengine.visualization import Visualizer

from sr4ir_mm.visualization.drawing import draw_sample, drawing_visualizer


@pytest.mark.parametrize('scope, draws', [('mmseg', True), ('mmdet', True), ('mmpretrain', True), ('mmengine', False)])
def test_without_a_visualizer_in_the_config_that_of_the_library_draws(scope, draws):
    with DefaultScope.overwrite_default_scope(scope):
        plain = Visualizer(name='plain')
        plain.dataset_meta = dict(classes=['a', 'b'], palette=[[0, 0, 0], [255, 0, 0]])
        found = drawing_visualizer(plain)
        assert (found is not plain) == draws and found.dataset_meta == plain.dataset_meta
        assert drawing_visualizer(found) is found


def test_what_it_draws():
    from mmseg.structures import SegDataSample

    sample = SegDataSample(pred_sem_seg=PixelData(data=torch.ones(1, 64, 64, dtype=torch.long)))
    with DefaultScope.overwrite_default_scope('mmseg'):
        plain = Visualizer(name='nothing')
        plain.dataset_meta = dict(classes=['a', 'b'], palette=[[0, 0, 0], [255, 0, 0]])
        picture = draw_sample(drawing_visualizer(plain), np.zeros((64, 64, 3), np.uint8), sample)
    assert np.median(picture[..., 0]) > 100 > np.median(picture[..., 1])
