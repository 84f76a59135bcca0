"""Files of predictions hold the values themselves, or are not written."""

import json

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import BaseDataElement, PixelData

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.inference.predictions import save_images, save_prediction


def save(folder, values, name='pred_panoptic_seg') -> str:
    sample = BaseDataElement(metainfo=dict(ori_shape=(2, 2)))
    sample.set_data({name: PixelData(data=torch.as_tensor(values)[None])})
    save_prediction(sample, folder / 'scan.001')
    return json.loads((folder / 'scan.001.json').read_text())[name]


@pytest.mark.parametrize(
    ('values', 'kind'),
    [
        ([[0, 1], [2, 255]], np.uint8),
        ([[0, 1], [2, 256]], np.uint16),
        ([[0, 1], [2, 65535]], np.uint16),
    ],
)
def test_maps_that_fit_into_images(tmp_path, values, kind):
    name = save(tmp_path, values)
    assert name == 'scan.001_pred_panoptic_seg.png'
    image = cv2.imread(str(tmp_path / name), cv2.IMREAD_UNCHANGED)
    assert image.dtype == kind and image.tolist() == values


@pytest.mark.parametrize('values', [[[0, 1], [2, 65536]], [[0, 1], [2, 79017]], [[-1, 0], [0, 1]]])
def test_maps_that_do_not_fit(tmp_path, values):
    """79017 is the 79th instance of class 17 of a panoptic network; as uint16 it was 13481."""
    name = save(tmp_path, values)
    assert name == 'scan.001_pred_panoptic_seg.npy' and np.load(tmp_path / name).tolist() == values


@pytest.mark.parametrize(
    ('values', 'file'), [([[0.5, 65.5]], 'png'), ([[0.5, 65.6]], 'npy'), ([[0.5, np.inf]], 'npy'), ([[-1.0, 1]], 'npy')]
)
def test_depth(tmp_path, values, file):
    """Millimeters, as long as they fit."""
    name = save(tmp_path, values, 'pred_depth_map')
    assert name.endswith(file)
    if file == 'png':
        assert cv2.imread(str(tmp_path / name), cv2.IMREAD_UNCHANGED).tolist() == [[500, 65500]]
    else:
        assert np.allclose(np.load(tmp_path / name), values)


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(SR4IRError, match=r"file/sr/x\.png' cannot be written: Not a directory"):
        save_images(dict(sr=np.zeros((2, 2, 3), np.uint8)), tmp_path / 'file', 'x')
    with pytest.raises(SR4IRError, match=r'cannot be written: Not a directory'):
        save(tmp_path / 'file', [[0, 1]])
