"""Files of predictions hold the values themselves, or are not written."""

import json

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import BaseDataElement, InstanceData, PixelData

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.inference.predictions import save_images, save_prediction, to_row


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


def test_json_is_valid_for_every_reader(tmp_path):
    """NaN and Infinity, which Python writes, are no JSON."""
    nan, inf = float('nan'), float('inf')
    sample = BaseDataElement(metainfo=dict(ori_shape=(2, 2)))
    fields = dict(
        pred_score=torch.tensor([0.5, nan, -inf]), pred_label=torch.tensor([1, 2]), pred_mean=inf, pred_name='a',
        pred_pairs=[(1, nan), dict(x=np.float32(2)), np.array([[inf, 1.0]])], pred_flags=np.array([True, False]),
    )  # fmt: skip
    sample.set_data(fields)
    sample.pred_instances = InstanceData(bboxes=torch.tensor([[0.0, 1, nan, 3]]), masks=torch.ones(1, 2, 2).bool())
    save_prediction(sample, tmp_path / 'a')
    found = json.loads((tmp_path / 'a.json').read_text(), parse_constant=lambda text: pytest.fail(f'{text} in JSON'))
    assert found['pred_instances'].pop('masks')[0]['size'] == [2, 2]
    assert found == dict(
        width=2, height=2, pred_score=[0.5, None, None], pred_label=[1, 2], pred_mean=None, pred_name='a',
        pred_pairs=[[1, None], dict(x=2), [[None, 1]]], pred_flags=[True, False],
        pred_instances=dict(bboxes=[[0, 1, None, 3]]),
    )  # fmt: skip


def test_depth_of_half_precision(tmp_path):
    """Its millimeters do not fit into half precision."""
    values = np.array([[0.5, 40.25], [65.5, 70.0]], np.float16)
    assert np.load(tmp_path / save(tmp_path, values, 'pred_depth_map')).tolist() == values.tolist()
    name = save(tmp_path, values[:1], 'pred_depth_map')
    assert cv2.imread(str(tmp_path / name), cv2.IMREAD_UNCHANGED).tolist() == [[500, 40250]]


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(SR4IRError, match=r"file/sr/x\.png' cannot be written: Not a directory"):
        save_images(dict(sr=np.zeros((2, 2, 3), np.uint8)), tmp_path / 'file', 'x')
    with pytest.raises(SR4IRError, match=r'cannot be written: Not a directory'):
        save(tmp_path / 'file', [[0, 1]])


def test_a_row_is_flat_and_names_the_files_of_maps(tmp_path):
    sample = BaseDataElement(metainfo=dict(ori_shape=(2, 3)))
    sample.pred_instances = InstanceData(
        bboxes=torch.tensor([[0.0, 1.0, 2.0, float('inf')]]), labels=torch.tensor([4]), scores=torch.tensor([0.5]),
        masks=torch.ones(1, 2, 3, dtype=torch.bool),
    )  # fmt: skip
    sample.pred_depth = PixelData(data=torch.tensor([[[0.001, 0.002]]]))
    sample.pred_panoptic_seg = PixelData(data=torch.tensor([[[0, 79017]]]))
    sample.pred_sem_seg_file = 'b_pred_sem_seg.tif'
    sample.gt_label = 3
    row = to_row(sample, 'a/b')
    save_prediction(sample, tmp_path / 'preds/a/b')
    maps = [row.pop(name) for name in ('pred_depth', 'pred_panoptic_seg')]
    assert maps == ['preds/a/b_pred_depth.png', 'preds/a/b_pred_panoptic_seg.npy']
    assert all((tmp_path / name).is_file() for name in maps)
    assert row.pop('masks')[0]['size'] == [2, 3]
    assert row == dict(
        width=3, height=2, bboxes=[[0, 1, 2, None]], labels=[4], scores=[0.5],
        pred_sem_seg='preds/a/b_pred_sem_seg.tif',
    )  # fmt: skip
    contents = to_row(sample, 'a/b', has_files=False)
    assert [contents[name] for name in ('pred_depth', 'pred_panoptic_seg')] == [
        (tmp_path / name).read_bytes() for name in maps
    ]
