"""Small objects in large images, found in slices: a detector that knows the right boxes, and networks of the zoos."""

import numpy as np
import pytest
import torch
from helpers.rectangles import FindRectangles, scene
from helpers.zoo import net_config
from mmengine.registry import DefaultScope
from test_inferencer import PIPELINES, config, prediction

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.inference.inferencer import SR4IRInferencer
from sr4ir_mm.inference.lr_predictor import LRPredictor
from sr4ir_mm.inference.slices import make_slices
from sr4ir_mm.models import SR4IR
from sr4ir_mm.registry import MODELS

#: as zoos do it: an image of any size has 200 x 300 px before the network
PIPELINE = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(300, 200), keep_ratio=True),
    dict(type='PackDetInputs'),
]


def predictor(masks: bool = False, pipeline: list = PIPELINE, **options) -> LRPredictor:
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = SR4IR(None, FindRectangles(masks), 4, 'L->T', align_corners=False).eval()
        return LRPredictor(model, pipeline, **options)


@pytest.mark.parametrize('coords', ['lr', 'sr'])
@pytest.mark.parametrize('seed', range(3))
def test_each_object_once_and_whole(coords, seed):
    image, boxes = scene(seed)
    with DefaultScope.overwrite_default_scope('mmdet'):
        items = [dict(img=image, img_path='x.png', img_id=0)]
        (missed,) = predictor()(items, coords)
        run = predictor(slice_size=400, slice_overlap=0.2)
        (sample,) = run(items, coords)
    ratio = 1 if coords == 'lr' else 4
    found = sample.pred_instances.bboxes / ratio
    assert 5 <= len(missed.pred_instances) < len(boxes) - 5  # the small ones are lost without slices
    assert len(found) == len(boxes)
    assert np.allclose(sorted(found.round().tolist()), boxes, atol=1)
    assert run.model.task.sizes[0][-2:] == (200, 300) and {size[-2:] for size in run.model.task.sizes[1:]} == {
        (200, 200)
    }
    assert sample.metainfo['ori_shape'] == tuple(ratio * side for side in (200, 300))
    assert sample.task_input.shape == (3, 800, 1200)


def test_masks():
    image, boxes = scene(1)
    with DefaultScope.overwrite_default_scope('mmdet'):
        (sample,) = predictor(True, slice_size=400)([dict(img=image, img_path='x.png', img_id=0)])
    masks = sample.pred_instances.masks
    assert masks.shape == (len(boxes), 200, 300)
    truth = torch.from_numpy(image[..., 0] > 127)
    assert (masks.any(0) != truth).float().mean() < 0.01 and (masks.sum(0) > 1).sum() == 0
    for mask, (left, top, right, bottom) in zip(masks, sample.pred_instances.bboxes.round().int().tolist()):
        assert mask[top:bottom, left:right].float().mean() > 0.8


def test_the_same_slice_of_several_images_is_a_batch():
    images = [scene(seed)[0] for seed in range(3)]
    items = [dict(img=image, img_path='x.png', img_id=i) for i, image in enumerate(images)]
    with DefaultScope.overwrite_default_scope('mmdet'):
        run = predictor(slice_size=400)
        together = run(items)
        assert {size[0] for size in run.model.task.sizes} == {3}
        single = [run([item])[0] for item in items]
    for one, other in zip(together, single):
        assert sorted(one.pred_instances.bboxes.tolist()) == sorted(other.pred_instances.bboxes.tolist())


def test_images_of_one_slice_are_predicted_as_ever():
    image = scene(0, (100, 100), 5)[0]
    items = [dict(img=image, img_path='x.png', img_id=0)]
    with DefaultScope.overwrite_default_scope('mmdet'):
        run = predictor(slice_size=400)
        (sample,), (expected,) = run(items), predictor()(items)
    assert len(run.model.task.sizes) == 1
    assert torch.equal(sample.pred_instances.bboxes, expected.pred_instances.bboxes)


@pytest.mark.parametrize('annotated', ['lr', 'hr'])
def test_annotations_stay_those_of_the_image(annotated):
    """LR images of 50 x 60 px, and HR images of which the scale divides no side."""
    height, width = (50, 60) if annotated == 'lr' else (198, 239)
    image = scene(0, (50, 60), 1)[0]
    pipeline = [*PIPELINE[:2], dict(type='LoadAnnotations', with_bbox=True), PIPELINE[2]]
    instance = dict(bbox=[1, 1, width - 1, height - 1], bbox_label=0, ignore_flag=0)
    item = dict(img=image, img_path='x.png', img_id=0, height=height, width=width, instances=[instance])
    with DefaultScope.overwrite_default_scope('mmdet'):
        run = predictor(pipeline=pipeline, annotations=True, slice_size=128)
        (sample,) = run([item], 'lr' if annotated == 'lr' else 'sr')
    assert len(run.model.task.sizes) > 4 and len(sample.gt_instances) == 1
    assert sample.metainfo['ori_shape'] == (height, width)


def test_a_network_of_the_zoo(tmp_path):
    cfg = config('retinanet')
    run = SR4IRInferencer(cfg, 'random', 'cpu', show_progress=False, slice_size=64, slice_overlap=0.25)
    image = np.random.default_rng(0).integers(0, 256, (30, 40, 3)).astype(np.uint8)
    found = run(image, return_vis=True, out_dir=str(tmp_path))
    boxes = prediction(found['predictions'][0])
    assert len(boxes) > 5 and boxes.min() >= 0 and boxes[:, 2].max() <= 40.01 and boxes[:, 3].max() <= 30.01
    assert found['visualization'][0].shape == (120, 160, 3)


def test_an_entry_of_the_config():
    cfg = config('retinanet')
    cfg.predict = dict(slice_size=64, slice_overlap=0.5)
    run = SR4IRInferencer(cfg, 'random', 'cpu', show_progress=False)
    assert (run.pipeline.slices.size, run.pipeline.slices.overlap) == (64, 0.5)
    run = SR4IRInferencer(cfg, 'random', 'cpu', show_progress=False, slice_size=128)  # an argument comes first
    assert (run.pipeline.slices.size, run.pipeline.slices.overlap) == (128, 0.5)


def test_classes_scores_and_views_hold_in_slices_too():
    cfg = config('retinanet')
    image = np.random.default_rng(0).integers(0, 256, (30, 40, 3)).astype(np.uint8)
    options = dict(slice_size=64, classes=['dog', 'cat'], score_thr=0.01, tta=True)
    run = SR4IRInferencer(cfg, 'random', 'cpu', show_progress=False, **options)
    (sample,) = run(image)['predictions']
    objects = sample.pred_instances
    labels = {run.dataset_meta['classes'].index(name) for name in ('dog', 'cat')}
    assert set(objects.labels.tolist()) <= labels and (objects.scores >= 0.01).all()


def segmentation(resize: int = 64, **options) -> SR4IRInferencer:
    cfg = config('segformer')
    steps = [PIPELINES['segformer'][0], dict(type='Resize', scale=(resize, resize)), *PIPELINES['segformer'][1:]]
    cfg.test_dataloader.dataset.pipeline = steps
    torch.manual_seed(0)
    return SR4IRInferencer(cfg, 'random', 'cpu', show_progress=False, **options)


def test_maps_of_classes_come_from_windows_of_the_image_itself(monkeypatch):
    run = segmentation(slice_size=64, slice_overlap=0.25)
    task, sizes = run.model.task, []
    encode_decode = task.encode_decode

    def watched(inputs, metas):
        sizes.append(tuple(inputs.shape[-2:]))
        return encode_decode(inputs, metas)

    monkeypatch.setattr(task, 'encode_decode', watched)
    image = np.random.default_rng(0).integers(0, 256, (24, 40, 3)).astype(np.uint8)
    (sample,) = run(image)['predictions']
    assert sizes == [(64, 64)] * 6  # 96 x 160 px with a stride of 48 px
    assert prediction(sample).shape == (1, 24, 40)
    sizes.clear()
    (small,) = run(image[:16, :16])['predictions']  # 64 px: no more than a window
    (expected,) = segmentation()(image[:16, :16])['predictions']
    assert sizes == [(64, 64)] and torch.equal(small.seg_logits.data, expected.seg_logits.data)


def test_maps_of_one_slice_are_predicted_as_ever():
    """The pipeline makes the image larger than a slice, and a larger image comes before it."""
    run = segmentation(128, slice_size=64)
    image = np.random.default_rng(0).integers(0, 256, (24, 40, 3)).astype(np.uint8)
    large, small = run([image, image[:15, :16]])['predictions']
    whole, expected = segmentation(128)([image, image[:15, :16]])['predictions']
    assert torch.equal(small.seg_logits.data, expected.seg_logits.data)
    assert not torch.equal(large.seg_logits.data, whole.seg_logits.data)


def test_exported_files_have_no_windows():
    run = segmentation()
    run.files, run.options['slice_size'] = ['model_sr.onnx', 'model_task.onnx'], 64
    with pytest.raises(SR4IRError, match='Exported files have no windows of their own: leave out slice_size'):
        run._init_pipeline(run.cfg)


@pytest.mark.slow
@pytest.mark.parametrize('name', ['mask_rcnn/mask-rcnn_r50_fpn_1x_coco', 'solo/decoupled-solo_r50_fpn_1x_coco'])
def test_networks_for_masks(name, tmp_path):
    """The second one predicts masks without boxes."""
    cfg = config('retinanet')
    options = {'test_cfg.rcnn.score_thr': 0.0, 'test_cfg.rcnn.max_per_img': 5} if 'rcnn' in name else {}
    cfg.model.task = net_config(f'mmdet::{name}.py', **options)
    if not options:
        cfg.model.task.test_cfg.update(score_thr=0.0, filter_thr=0.0, nms_pre=50, max_per_img=5)
        cfg.model.task.mask_head.test_cfg = cfg.model.task.test_cfg
    run = SR4IRInferencer(cfg, 'random', 'cpu', show_progress=False, slice_size=64)
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    objects = run(image, out_dir=str(tmp_path))['predictions'][0].pred_instances
    assert len(objects) and objects.masks.shape == (len(objects), 20, 30) and objects.masks.dtype == torch.bool
    assert (tmp_path / 'vis/000000.png').is_file() and (tmp_path / 'preds/000000.json').is_file()


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(name='resnet18'), 'ImageClassifier predicts one result for the whole image: leave out slice_size'),
        (dict(name='resnet18', scheme='S'), 'the scheme has no task network: leave out slice_size'),
        (dict(name='retinanet', slice_size=8), 'slice_size=8 must be a whole number, 32 or more'),
        (dict(name='retinanet', slice_size=None, slice_overlap=0.1), 'has no effect without slice_size'),
    ],
    ids=str,
)
def test_what_cannot_be_sliced(options, message):
    cfg = config(options.pop('name'), options.pop('scheme', 'SR4IR'))
    with pytest.raises(SR4IRError, match=message):
        SR4IRInferencer(cfg, 'random', 'cpu', **{'slice_size': 64, **options})


def test_panoptic_networks():
    with DefaultScope.overwrite_default_scope('mmdet'):
        task = MODELS.build(net_config('mmdet::panoptic_fpn/panoptic-fpn_r50_fpn_1x_coco.py'))
    model = SR4IR(None, task, 4, 'L->T')
    with pytest.raises(SR4IRError, match=r'PanopticFPN finds .panoptic segmentation. cannot be merged'):
        make_slices(model, 640, None)
