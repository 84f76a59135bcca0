"""Pictures show predictions in the size of the SR image, without another run of the task network."""

import cv2
import numpy as np
import pytest
import torch
from mmengine.registry import VISUALIZERS
from mmengine.structures import InstanceData, PixelData
from mmengine.visualization import Visualizer
from test_inferencer import VISUALIZERS as NAMES
from test_inferencer import config, picture

from sr4ir_mm.inference.enlarge import enlarge
from sr4ir_mm.inference.inferencer import SR4IRInferencer

HR, LR = (96, 128), (24, 32)


def disk() -> np.ndarray:
    return cv2.circle(np.zeros(HR, np.uint8), (60, 50), 30, 1, -1)


def small(image: np.ndarray) -> np.ndarray:
    return image[1::4, 1::4]


def share_of_equal(first: np.ndarray, second: np.ndarray) -> float:
    return float((np.asarray(first) == np.asarray(second)).mean())


def test_boxes_and_masks():
    from mmdet.structures import DetDataSample

    instances = InstanceData(
        bboxes=torch.tensor([[1.0, 2.0, 30.0, 20.0]]), labels=torch.tensor([3]), scores=torch.tensor([0.5]),
        masks=torch.from_numpy(small(disk()))[None].bool(),
    )  # fmt: skip
    sample = DetDataSample(metainfo=dict(ori_shape=LR, img_path='a'), pred_instances=instances)
    found = enlarge(sample, HR)
    assert found.metainfo == dict(ori_shape=HR, img_path='a')
    assert found.pred_instances.bboxes.tolist() == [[4, 8, 120, 80]] and found.pred_instances.labels.tolist() == [3]
    assert share_of_equal(found.pred_instances.masks[0], disk().astype(bool)) > 0.98
    assert sample.pred_instances.bboxes.tolist() == [[1, 2, 30, 20]]  # what users receive
    instances.masks = torch.zeros(1, *LR, dtype=torch.bool)
    assert not enlarge(sample, HR).pred_instances.masks.any()
    sample.pred_instances = instances[:0]
    assert enlarge(sample, HR).pred_instances.masks.shape == (0, *HR)


@pytest.mark.parametrize('dtype', [torch.long, torch.int32, torch.uint8])
def test_labels_have_smooth_borders_and_no_new_values(dtype):
    from mmseg.structures import SegDataSample

    labels = small(disk() * 7 + 2)
    sample = SegDataSample(
        metainfo=dict(ori_shape=LR), pred_sem_seg=PixelData(data=torch.tensor(labels)[None].to(dtype))
    )
    found = np.asarray(enlarge(sample, HR).pred_sem_seg.data)[0]
    assert set(np.unique(found)) == {2, 9}
    blocks = labels.repeat(4, 0).repeat(4, 1)
    assert share_of_equal(found, disk() * 7 + 2) > max(0.98, share_of_equal(blocks, disk() * 7 + 2))
    assert enlarge(sample, LR) is sample


def test_panoptic_ids_and_depth():
    from mmdet.structures import DetDataSample
    from mmseg.structures import SegDataSample

    ids = torch.from_numpy(small(disk())).long() * 70003
    sample = DetDataSample(metainfo=dict(ori_shape=LR), pred_panoptic_seg=PixelData(sem_seg=ids[None]))
    assert np.unique(enlarge(sample, HR).pred_panoptic_seg.sem_seg).tolist() == [0, 70003]
    depth = torch.linspace(1, 9, LR[1]).expand(1, *LR)
    sample = SegDataSample(metainfo=dict(ori_shape=LR), pred_depth_map=PixelData(data=depth))
    found = np.asarray(enlarge(sample, HR).pred_depth_map.data)
    assert found.shape == (1, *HR) and np.allclose(
        (found[0, 0, 1::4] + found[0, 0, 2::4])[1:-1] / 2, depth[0, 0][1:-1], atol=1e-3
    )


def count_runs(inferencer: SR4IRInferencer, monkeypatch) -> list:
    runs = []
    forward = inferencer.model.task.forward
    monkeypatch.setattr(inferencer.model.task, 'forward', lambda *args, **kw: runs.append(1) or forward(*args, **kw))
    return runs


@pytest.mark.parametrize('name', NAMES)
def test_the_task_network_runs_once_and_the_picture_is_that_of_sr_coordinates(name, monkeypatch):
    torch.manual_seed(0)
    inferencer = SR4IRInferencer(config(name), 'random', 'cpu', show_progress=False)
    runs = count_runs(inferencer, monkeypatch)
    options = dict(retinanet=dict(pred_score_thr=0.0), segformer=dict(with_labels=False)).get(name, {})
    low, high = (inferencer(picture(20, 30), return_vis=True, coords=coords, **options) for coords in ('lr', 'sr'))
    assert len(runs) == 2
    first, second = (result['visualization'][0] for result in (low, high))
    assert (np.abs(first.astype(int) - second).max(2) < 3).mean() > 0.9  # borders of classes may differ by a pixel
    assert not np.array_equal(first, low['task_inputs'][0])


def test_a_visualizer_of_users_receives_what_the_task_network_predicts_for_the_sr_image(monkeypatch):
    class Own(Visualizer):
        def add_datasample(self, name, image, data_sample, draw_gt=True, draw_pred=True):
            assert data_sample.seg_logits.data.shape[1:] == image.shape[:2]
            self.set_image(255 - image)

    VISUALIZERS.register_module(name='Own', module=Own, force=True)
    cfg = config('segformer')
    cfg.visualizer = dict(type='Own')
    inferencer = SR4IRInferencer(cfg, 'random', 'cpu', show_progress=False)
    result = inferencer(picture(20, 30), return_vis=True)
    assert np.array_equal(result['visualization'][0], 255 - result['task_inputs'][0])
    assert result['predictions'][0].metainfo['ori_shape'] == (20, 30)
