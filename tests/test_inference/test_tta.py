"""Test-time augmentation: views of what the task network receives, merged as the zoos do it."""

import copy

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.structures import PixelData
from test_inferencer import LOAD, PIPELINES, SCOPES, config, picture, prediction

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.inference.inferencer import SR4IRInferencer
from sr4ir_mm.inference.tta import augment, expand, flips

FLIPS = [dict(type='RandomFlip', prob=0.0), dict(type='RandomFlip', prob=1.0)]
FLIP_KEYS = ('img_path', 'img_id', 'ori_shape', 'img_shape', 'scale_factor', 'flip', 'flip_direction')
#: the pipelines of the zoos, with scales for small images
ZOO = dict(
    segformer=[dict(type='Resize', scale_factor=ratio, keep_ratio=True) for ratio in (0.5, 1.0)],
    retinanet=[dict(type='Resize', scale=(side, side), keep_ratio=True) for side in (96, 64)],
    resnet18=[dict(type='ResizeEdge', scale=side, edge='short') for side in (32, 40)],
)
nets = pytest.mark.parametrize('name', PIPELINES)


def make(cfg: Config, **options) -> SR4IRInferencer:
    torch.manual_seed(0)
    return SR4IRInferencer(cfg, 'random', 'cpu', show_progress=False, **options)


def run_flipped(inferencer: SR4IRInferencer, image: np.ndarray, name: str) -> torch.Tensor:
    """What the network predicts on the flipped image that it receives."""
    task, seen = inferencer.model.task, []
    handle = task.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    sample = inferencer(image)['predictions'][0]
    handle.remove()
    (inputs,) = seen
    with torch.no_grad(), DefaultScope.overwrite_default_scope(SCOPES[name]):
        return sample, inputs


@nets
def test_the_views_are_merged(name):
    """The reference calls the task network on the image and on its mirror image by hand."""
    image = picture(20, 32)
    plain, augmented = make(config(name)), make(config(name), tta=True)
    single, inputs = run_flipped(plain, image, name)
    merged = augmented(image)['predictions'][0]
    if name == 'resnet18':
        with torch.no_grad():
            scores = [plain.model.task(view, mode='tensor').softmax(1)[0] for view in (inputs, inputs.flip(-1))]
        expected = sum(scores) / 2
        assert torch.allclose(merged.pred_score, expected, atol=1e-5) and merged.pred_label == expected.argmax()
    elif name == 'segformer':
        with torch.no_grad():
            logits = [plain.model.task(view, mode='tensor') for view in (inputs, inputs.flip(-1))]
        mirrored = [torch.nn.functional.interpolate(x, inputs.shape[-2:], mode='bilinear') for x in logits]
        mean = mirrored[0].softmax(1) + mirrored[1].flip(-1).softmax(1)
        expected = torch.nn.functional.interpolate(mean, (20, 32), mode='bilinear').argmax(1)[0]
        assert (merged.pred_sem_seg.data[0] == expected).float().mean() > 0.95
    else:
        found = merged.pred_instances
        assert len(found) and set(map(tuple, single.pred_instances.bboxes.round(decimals=2).tolist())) & set(
            map(tuple, found.bboxes.round(decimals=2).tolist())
        )
    assert merged.task_input.shape == single.task_input.shape


def test_a_mirror_image_has_the_mirrored_prediction():
    """Only with the views of both, a network predicts the same for an image and its mirror image."""
    image = picture(20, 32)
    inferencer = make(config('segformer'), tta=True)
    inferencer.model.sr = torch.nn.Upsample(scale_factor=4)  # which has no direction
    one, other = (inferencer(view)['predictions'][0].pred_sem_seg.data for view in (image, image[:, ::-1].copy()))
    assert (one == other.flip(-1)).float().mean() > 0.99


def test_boxes_of_flipped_views_are_in_the_coordinates_of_the_image():
    """A network that always finds the object in its left half finds it in both halves."""
    inferencer = make(config('retinanet'), tta=True)
    forward, box = inferencer.model.task.forward, torch.tensor([[8.0, 8, 40, 32]])  # in the 96 x 60 px that it receives

    def found(inputs, data_samples, mode):
        for sample in data_samples:
            factor = torch.tensor(sample.scale_factor).repeat(2)
            sample.pred_instances = _instances(box / factor)
        return data_samples

    forward.forward = found
    (sample,) = inferencer(picture(20, 32))['predictions']
    left, right = sample.pred_instances.bboxes[sample.pred_instances.bboxes[:, 0].argsort()]
    assert torch.allclose(left, torch.tensor([8.0, 8, 40, 32]) / 3, atol=0.01)
    assert torch.allclose(right, torch.tensor([96.0 - 40, 8, 96 - 8, 32]) / 3, atol=0.01)


def _instances(boxes: torch.Tensor):
    from mmengine.structures import InstanceData

    return InstanceData(bboxes=boxes, scores=torch.ones(len(boxes)), labels=torch.zeros(len(boxes), dtype=torch.long))


@nets
def test_the_views_of_the_zoo(name):
    cfg = config(name)
    load, *_, pack = copy.deepcopy(PIPELINES[name])
    annotations = [dict(type='LoadAnnotations')] if name == 'segformer' else []
    pack = dict(pack, meta_keys=FLIP_KEYS)
    views = dict(type='TestTimeAug', transforms=[ZOO[name], FLIPS, *([annotations] if annotations else []), [pack]])
    cfg.tta_pipeline = [load, views]
    inferencer = make(cfg, tta=True)
    sizes = set()
    for module in inferencer.model.task.modules():
        if isinstance(module, torch.nn.Conv2d) and module.in_channels == 3:
            module.register_forward_pre_hook(lambda _, args: sizes.add(tuple(args[0].shape[-2:])))
    assert len(inferencer.model.task.forward.views) == 4
    (sample,) = inferencer(picture(20, 32))['predictions']
    assert len(sizes) == 2 and {'pred_sem_seg', 'pred_instances', 'pred_score'} & set(sample.keys())


@nets
@pytest.mark.parametrize('size', [(20, 32), (19, 31)])
def test_one_view_without_a_change_is_the_usual_prediction(name, size):
    """Whatever the task network's pipeline and preprocessor resize and pad."""
    cfg = config(name)
    pack = dict(PIPELINES[name][-1], meta_keys=FLIP_KEYS)
    cfg.tta_pipeline = [LOAD, dict(type='TestTimeAug', transforms=[FLIPS[:1], [pack]])]
    inferencers = [make(config(name)), make(cfg, tta=True)]
    (one, other) = (inferencer(picture(*size))['predictions'][0] for inferencer in inferencers)
    if name == 'retinanet':  # without the suppression of the merger, which is stricter than that of the network
        one, other = ({tuple(box) for box in prediction(x).round(1)} for x in (one, other))
        assert other and other <= one
    else:
        assert (np.abs(prediction(one) - prediction(other)) < 1e-4).mean() > 0.99


@nets
def test_results_do_not_depend_on_the_batch(name):
    inferencer, images = make(config(name), tta=True), [picture(20, 32, seed) for seed in range(2)]
    alone = [inferencer(image)['predictions'][0] for image in images]
    for one, other in zip(alone, inferencer(images, batch_size=2)['predictions']):
        assert np.allclose(prediction(one), prediction(other), atol=1e-3)


def test_pipelines():
    load, pack = dict(type='LoadImageFromFile'), dict(type='PackDetInputs', meta_keys=('img_id',))
    views = dict(type='mmcv.TestTimeAug', transforms=[[dict(type='A'), dict(type='B')], [pack]])
    assert [[step['type'] for step in steps] for steps in expand([load, views])] == [
        ['LoadImageFromFile', 'A', 'PackDetInputs'],
        ['LoadImageFromFile', 'B', 'PackDetInputs'],
    ]
    with pytest.raises(SR4IRError, match='tta_pipeline has no step TestTimeAug'):
        expand([load, pack])
    assert flips([load, pack])[1][1]['meta_keys'] == ('img_id', 'flip', 'flip_direction')


def test_what_cannot_be_merged():
    inferencer = make(config('segformer'), tta=True)

    def depth(inputs, data_samples, mode):
        for sample in data_samples:
            sample.set_data(dict(pred_depth_map=PixelData(data=torch.zeros(1, 20, 32))))
        return data_samples

    inferencer.model.task.forward.forward = depth
    with pytest.raises(SR4IRError, match='--tta merges boxes, maps of classes and the one class of an image'):
        inferencer(picture(20, 32))
    with pytest.raises(SR4IRError, match='set tta_model and tta_pipeline'):
        augment(make(config('segformer')).model, Config(dict(default_scope='my_package')))
