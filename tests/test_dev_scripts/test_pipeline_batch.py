import mmdet.utils
import mmpretrain.utils
import mmseg.utils
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from pipeline_batch import pipeline_batch
from zoo_models import load_untrained

for zoo in (mmseg, mmdet, mmpretrain):
    zoo.utils.register_all_modules(init_default_scope=False)


def batch_of(name: str, size: int = 64, **kwargs) -> dict:
    return pipeline_batch(load_untrained(name), name.partition('::')[0], size, **kwargs)


def test_detection_with_masks_as_the_config_loads_them():
    batch = batch_of('mmdet::mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py')
    assert [image.shape for image in batch['inputs']] == [(3, 64, 64)] * 2
    assert batch['inputs'][0].dtype == torch.uint8 and not batch['inputs'][0].equal(batch['inputs'][1])
    sample = batch['data_samples'][0]
    assert type(sample.gt_instances.masks).__name__ == 'BitmapMasks'
    assert type(sample.gt_instances.bboxes).__name__ == 'HorizontalBoxes'
    x, y, u, v = sample.gt_instances.bboxes.tensor[1].int().tolist()
    mask = sample.gt_instances.masks.masks[1]
    assert mask[y:v, x:u].all() and mask.sum() == (v - y) * (u - x)
    assert len(sample.ignored_instances) == 0 and sample.img_shape == (64, 64)

    polygons = batch_of('mmdet::mask_rcnn/mask-rcnn_r50_fpn_poly-1x_coco.py')['data_samples'][0].gt_instances.masks
    assert type(polygons).__name__ == 'PolygonMasks'
    assert (polygons.to_ndarray()[1] != mask).mean() < 0.02
    assert 'masks' not in batch_of('mmdet::retinanet/retinanet_r18_fpn_1x_coco.py')['data_samples'][0].gt_instances


def test_panoptic_maps_hold_a_class_that_is_stuff():
    sample = batch_of('mmdet::panoptic_fpn/panoptic-fpn_r50_fpn_1x_coco.py')['data_samples'][0]
    assert sample.gt_sem_seg.sem_seg.unique().tolist() == [0, 80]


def test_proposals_come_from_the_pipeline():
    fast = batch_of('mmdet::fast_rcnn/fast-rcnn_r50_fpn_1x_coco.py')['data_samples'][0]
    assert fast.proposals.bboxes.shape == (2, 4)


def test_segmentation_with_edges_where_the_net_wants_them():
    plain = batch_of('mmseg::fcn/fcn_r18-d8_4xb2-80k_cityscapes-512x1024.py')['data_samples']
    assert plain[1].gt_sem_seg.data.unique().tolist() == [0, 2] and 'gt_edge_map' not in plain[0]
    edges = batch_of('mmseg::pidnet/pidnet-s_2xb6-120k_1024x1024-cityscapes.py')['data_samples'][0].gt_edge_map
    assert edges.data.shape == (1, 64, 64) and 0 < edges.data.float().mean() < 0.5


def test_classification_labels_fit_the_head():
    batch = batch_of('mmpretrain::resnet/resnet18_8xb32_in1k.py')
    assert len(batch['inputs']) == 2
    assert [sample.gt_label.tolist() for sample in batch['data_samples']] == [[0], [1]]
    several = batch_of('mmpretrain::csra/resnet101-csra_1xb16_voc07-448px.py')['data_samples'][0]
    assert several.gt_label.tolist() == [0, 1]


def test_labels_of_a_head_with_many_tasks():
    init_default_scope('mmpretrain')
    tasks = {name: dict(type='LinearClsHead', num_classes=4) for name in 'ab'}
    pack = dict(type='PackMultiTaskInputs', multi_task_fields=('gt_label',))
    loader = dict(dataset=dict(pipeline=[dict(type='LoadImageFromFile'), pack]))
    cfg = Config(dict(model=dict(head=dict(type='MultiTaskHead', task_heads=tasks)), train_dataloader=loader))
    sample = pipeline_batch(cfg, 'mmpretrain', 32)['data_samples'][1]
    assert sample.a.gt_label.tolist() == sample.b.gt_label.tolist() == [1]


@pytest.mark.parametrize('name, views', [('mmpretrain::mocov3/mocov3_resnet50_8xb512-amp-coslr-100e_in1k.py', 2)])
def test_self_supervised_pipelines_run_as_a_whole(name, views):
    inputs = batch_of(name)['inputs']
    assert [view.shape for view in inputs] == [(2, 3, 224, 224)] * views


def test_test_pipelines_pack_what_only_they_need():
    name = 'mmdet::centernet/centernet_r18_8xb16-crop512-140e_coco.py'
    train, test = (batch_of(name, loader=f'{part}_dataloader')['data_samples'][0] for part in ('train', 'test'))
    assert 'border' not in train and test.border.tolist() == [0, 64, 0, 64]
