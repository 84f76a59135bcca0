"""Detectors of transformers: what they compute is what transformers computes."""

import copy

import pytest
import torch
from helpers.hf import DETECTORS, SEGMENTORS, batch, build, cases, few_classes, train
from helpers.toy import EDSR
from helpers.zoo import batch_for, wrappers_for
from mmdet.structures.mask import BitmapMasks
from mmengine.registry import METRICS, VISUALIZERS, init_default_scope
from torch import nn

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR
from sr4ir_mm.models.adapters.hf_files import processor_for
from sr4ir_mm.models.full_outputs import full_outputs

FIRST = 'DetrForObjectDetection'
SECOND = 'RTDetrForObjectDetection'
GROUPS = 'LwDetrForObjectDetection'
MASKS = 'Mask2FormerForUniversalSegmentation'
SIZES = (64, 96), (96, 64)


def made(name: str = FIRST, **options) -> nn.Module:
    return build('HFDetector', name, DETECTORS[name], **options)


def given(task: nn.Module, data: dict) -> dict:
    """As a user of transformers gives them."""
    shape = data['inputs'].shape[-2:]
    sizes = [sample.img_shape if task.takes_mask else tuple(shape) for sample in data['data_samples']]
    labels = []
    for sample, (height, width) in zip(data['data_samples'], sizes):
        x1, y1, x2, y2 = sample.gt_instances.bboxes.unbind(1)
        boxes = torch.stack([(x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height], 1)
        labels.append(dict(boxes=boxes, class_labels=sample.gt_instances.labels))
    found = dict(pixel_values=data['inputs'], labels=labels)
    if task.takes_mask:
        found['pixel_mask'] = torch.zeros(len(sizes), *shape, dtype=torch.long)
        for mask, (height, width) in zip(found['pixel_mask'], sizes):
            mask[:height, :width] = 1
    return found, sizes


@pytest.mark.parametrize('name', cases(DETECTORS, FIRST, SECOND, GROUPS))
def test_loss_gradients_and_boxes_are_those_of_transformers(name):
    task = made(name).train()
    bare = copy.deepcopy(task.net)
    data = batch(task, 'mmdet', *SIZES)
    inputs, sizes = given(task, data)
    torch.manual_seed(1)
    losses = task(**data, mode='loss')
    torch.manual_seed(1)
    expected = bare(**inputs)
    assert torch.equal(losses['loss'], expected.loss) and torch.equal(task.parse_losses(losses)[0], expected.loss)
    assert losses.keys() - {'loss'} == {key.replace('loss_', '') for key in expected.loss_dict}
    losses['loss'].backward(), expected.loss.backward()
    for mine, theirs in zip(task.net.parameters(), bare.parameters()):
        assert mine.grad is theirs.grad is None or torch.equal(mine.grad, theirs.grad)
    task.eval(), bare.eval()
    with torch.no_grad():
        samples = task(**data, mode='predict')
        outputs = bare(**{key: value for key, value in inputs.items() if key != 'labels'})
    boxes = processor_for(bare.config).post_process_object_detection(outputs, 0.0, target_sizes=sizes)
    for sample, theirs in zip(samples, boxes):
        found = sample.pred_instances
        assert len(found) >= 5 and torch.equal(found.bboxes, theirs['boxes'])
        assert torch.equal(found.scores, theirs['scores']) and torch.equal(found.labels, theirs['labels'])


@pytest.mark.parametrize('name', cases(DETECTORS, SECOND))
def test_training(name):
    model, logs, _ = train(made(name), 'mmdet')
    assert all(value.isfinite() for value in logs.values()) and logs['sr.loss_tdp'] > 0
    assert all('encoder' in path or 'backbone' in path for path in model.recorder.paths().values())


@pytest.mark.parametrize('name', cases([FIRST, SECOND, GROUPS], FIRST, SECOND))
def test_a_frozen_network_has_losses_too(name):
    _, logs, _ = train(made(name), 'mmdet', 'T->S')
    assert logs['task.sr.loss'].isfinite()


@torch.no_grad()
def test_loss_of_a_frozen_network_whose_queries_have_groups_in_the_training():
    """Its queries are one group then: the loss is that of a network without groups."""
    task = made(GROUPS).eval()
    one = build('HFDetector', GROUPS, dict(DETECTORS[GROUPS], group_detr=1)).eval()
    mine = one.state_dict()
    weights = {key: value for key, value in task.state_dict().items() if key in mine}
    weights |= {key: value[: len(mine[key])] for key, value in weights.items() if value.shape != mine[key].shape}
    one.load_state_dict(weights)
    data = batch(task, 'mmdet', *SIZES)
    found, expected = task(**data, mode='loss'), one(**data, mode='loss')
    assert found['loss'] > 0 and all(torch.equal(found[key], value) for key, value in expected.items())
    assert task.net.config.group_detr == 3


def test_images_that_are_not_square_for_a_network_that_would_mix_up_their_patches():
    task = made('RfDetrForObjectDetection')
    with pytest.raises(SR4IRError, match=r'square images alone, not 140 x 112 px: set Resize\(scale=\(112, 112\)'):
        task(**batch(task, 'mmdet', (100, 130), (100, 130)), mode='loss')


@torch.no_grad()
@pytest.mark.parametrize('name', cases([FIRST, 'ConditionalDetrForObjectDetection'], FIRST))
def test_padding_does_not_move_boxes(name):
    """They are fractions of the image without it, as in mmdet; the backbone's features at the edge differ a little."""
    task = made(name).eval()
    alone, both = batch(task, 'mmdet', (96, 64)), batch(task, 'mmdet', (96, 64), (96, 128))
    assert both['inputs'].shape[-1] == 128
    expected, found = (task(**data, mode='predict')[0].pred_instances for data in (alone, both))
    torch.testing.assert_close(found.bboxes, expected.bboxes, atol=1, rtol=0)


def test_boxes_of_targets_and_predictions_are_at_the_same_place():
    """A network without a mask that returns the target: fractions of the padded image."""
    for name in (FIRST, 'YolosForObjectDetection'):
        task = made(name)
        data = batch(task, 'mmdet', (64, 64), (64, 96))
        targets, _ = given(task, data)
        sample = data['data_samples'][0]
        truth = sample.gt_instances.bboxes.clone()
        sample.set_metainfo(dict(scale_factor=(2.0, 4.0)))
        boxes = torch.stack([label['boxes'] for label in targets['labels']])
        output = type('', (), dict(logits=torch.zeros(2, 2, 6), pred_boxes=boxes))
        task.run = lambda *args, output=output: output
        found = task.predict(data['inputs'], data['data_samples'])[0].pred_instances
        torch.testing.assert_close(found.bboxes * torch.tensor([2.0, 4.0, 2.0, 4.0]), truth)


def test_sizes_that_the_network_takes():
    assert made('RTDetrForObjectDetection').data_preprocessor.pad_size_divisor == 32
    assert made('YolosForObjectDetection').data_preprocessor.pad_size_divisor == 16
    assert made(GROUPS).data_preprocessor.pad_size_divisor == 32  # patches of 16 px, windows in two rows


def test_images_without_boxes():
    for name in (FIRST, SECOND, GROUPS):
        task = made(name).train()
        data = batch(task, 'mmdet', (64, 64), (64, 64))
        for sample in data['data_samples']:
            sample.gt_instances = sample.gt_instances[:0]
        loss = task(**data, mode='loss')['loss']
        loss.backward()
        assert loss.isfinite() and loss > 0


def test_metric_and_visualizer_of_mmdet():
    init_default_scope('mmdet')
    task = made(score_thr=0.1).eval()
    data = batch(task, 'mmdet', *SIZES, training=False)
    with torch.no_grad():
        samples = task(**data, mode='predict')
    for sample in samples:
        sample.ignored_instances = sample.gt_instances[:0]
    metric = METRICS.build(dict(type='mmdet.VOCMetric'))
    metric.dataset_meta = dict(classes=list('abcde'))
    metric.process({}, [sample.to_dict() for sample in samples])
    assert 'pascal_voc/mAP' in metric.evaluate(2)
    visualizer = VISUALIZERS.build(dict(type='mmdet.DetLocalVisualizer', name='det', save_dir=None))
    visualizer.dataset_meta = dict(metric.dataset_meta, palette=[(0, 0, 0)] * 5)
    visualizer.add_datasample('x', torch.zeros(*SIZES[0], 3).byte().numpy(), samples[0])


@torch.no_grad()
@pytest.mark.parametrize('name', [FIRST, 'RTDetrForObjectDetection'])
def test_boxes_of_mixed_precision_are_not_rounded(name):
    task = made(name).eval()
    data = batch(task, 'mmdet', *SIZES)
    with torch.autocast('cpu', torch.bfloat16), full_outputs(task):
        outputs = task(**data, mode='tensor')
    assert outputs.pred_boxes.dtype == outputs.logits.dtype == torch.float32
    assert not torch.equal(outputs.pred_boxes, outputs.pred_boxes.bfloat16().float())


def instances(data: dict) -> dict:
    """The batch with a mask for each box."""
    for sample in data['data_samples']:
        masks = torch.zeros(len(sample.gt_instances), *sample.img_shape, dtype=torch.uint8)
        for mask, (x1, y1, x2, y2) in zip(masks, sample.gt_instances.bboxes.tensor.int().tolist()):
            mask[y1:y2, x1:x2] = 1
        sample.gt_instances.masks = BitmapMasks(masks.numpy(), *sample.img_shape)
    return data


def test_masks_of_objects_are_those_of_transformers():
    task = build('HFDetector', MASKS, SEGMENTORS[MASKS]).train()
    bare = copy.deepcopy(task.net)
    data = task.data_preprocessor(instances(few_classes(batch_for(dict(_scope_='mmdet'), (64, 64), (64, 96)))), True)
    labels = [sample.gt_instances.labels for sample in data['data_samples']]
    masks = [torch.as_tensor(sample.gt_instances.masks.masks).float() for sample in data['data_samples']]
    masks[0] = nn.functional.pad(masks[0], (0, 96 - masks[0].shape[2]))
    torch.manual_seed(1)
    loss = task(**data, mode='loss')['loss']
    torch.manual_seed(1)
    expected = bare(pixel_values=data['inputs'], mask_labels=masks, class_labels=labels).loss.sum()
    loss.backward(), expected.backward()
    assert torch.equal(loss, expected)
    for mine, theirs in zip(task.net.parameters(), bare.parameters()):
        assert mine.grad is theirs.grad is None or torch.equal(mine.grad, theirs.grad)
    task.eval(), bare.eval()
    data['data_samples'][1].set_metainfo(dict(ori_shape=(48, 72)))
    with torch.no_grad():
        sample = task(**data, mode='predict')[1]
        outputs = bare(pixel_values=data['inputs'])
    processed = processor_for(bare.config).post_process_instance_segmentation(
        outputs, 0.0, target_sizes=[(64, 96), (48, 72)], return_binary_maps=True
    )[1]
    found, info = sample.pred_instances, processed['segments_info']
    assert len(found) >= 3 and torch.equal(found.masks, processed['segmentation'].bool())
    assert found.labels.tolist() == [entry['label_id'] for entry in info]
    assert found.scores.tolist() == pytest.approx([entry['score'] for entry in info], abs=1e-6)
    y, x = found.masks[0].nonzero().T
    assert found.bboxes[0].tolist() == [x.min(), y.min(), x.max() + 1, y.max() + 1]
    assert data['data_samples'][0].pred_instances.masks.shape[1:] == (64, 64)  # without padding


def test_boxes_alone_for_a_network_of_masks():
    task = build('HFDetector', MASKS, SEGMENTORS[MASKS])
    with pytest.raises(SR4IRError, match=r'LoadAnnotations\(with_bbox=True, with_mask=True\)'):
        task(**batch(task, 'mmdet', *SIZES), mode='loss')


def test_training_with_masks_of_objects():
    model = SR4IR(dict(EDSR), build('HFDetector', MASKS, SEGMENTORS[MASKS]), scale=4).train()
    data = instances(few_classes(batch_for(dict(_scope_='mmdet'))))
    data['data_samples'][0].gt_instances = data['data_samples'][0].gt_instances[:0]  # an image without objects
    logs = model.train_step(data, wrappers_for(model))
    assert all(value.isfinite() for value in logs.values()) and logs['sr.loss_tdp'] > 0
