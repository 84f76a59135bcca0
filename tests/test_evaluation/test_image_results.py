"""What the zoos' metrics measure on each image: their own values come out again, and they stay as they are."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmdet.evaluation import CocoMetric
from mmengine.evaluator import Evaluator
from mmpretrain.evaluation import Accuracy
from mmseg.evaluation import IoUMetric

from sr4ir_mm.analysis.image_scores import score
from sr4ir_mm.analysis.image_tables import read_table
from sr4ir_mm.engine import ImageResultsHook
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.evaluation import SRQuality, ZeroFillCocoMetric

NUMBER, CLASSES = 12, 4


def classified(rng: np.random.Generator, i: int) -> dict:
    """A prediction of mmpretrain."""
    return dict(pred_score=torch.softmax(torch.tensor(rng.normal(size=CLASSES)), 0), gt_label=torch.tensor([i % 4]))


def segmented(rng: np.random.Generator, i: int) -> dict:
    """A prediction of mmseg; no image has the last class, some pixels are ignored."""
    truth = torch.tensor(rng.integers(0, CLASSES - 1, (1, 6, 8)))
    predicted = torch.where(torch.tensor(rng.random((1, 6, 8)) < 0.6), truth, 0)
    return dict(pred_sem_seg=dict(data=predicted), gt_sem_seg=dict(data=torch.where(truth == i % 3, truth, 255)))


def detected(rng: np.random.Generator, i: int) -> dict:
    """A prediction of mmdet; every fourth image has neither objects nor detections, some objects are ignored."""
    boxes = rng.uniform(0, 50, (i % 4, 4))
    boxes[:, 2:] = boxes[:, :2] + 20
    labels = rng.integers(0, CLASSES - 1, len(boxes))
    instances = [dict(bbox=box.tolist(), bbox_label=int(label), ignore_flag=int(rng.random() < 0.2))
                 for box, label in zip(boxes, labels)]  # fmt: skip
    found = np.vstack([boxes + rng.normal(0, 2, boxes.shape), boxes + rng.normal(0, 9, boxes.shape)])
    scores = torch.tensor(rng.random(len(found)).round(1), dtype=torch.float32)
    pred = dict(bboxes=torch.tensor(found, dtype=torch.float32), scores=scores,
                labels=torch.tensor(np.tile(labels, 2)))  # fmt: skip
    return dict(img_id=f'{NUMBER - i:02}', ori_shape=(80, 90), instances=instances, pred_instances=pred)


def outlined(rng: np.random.Generator, i: int) -> dict:
    """The same with masks: those of the predictions are wider or narrower than their boxes."""
    sample = detected(rng, i)
    for instance in sample['instances']:
        left, top, right, bottom = instance['bbox']
        instance['mask'] = [[left, top, right, top, right, bottom, left, bottom]]
    masks = torch.zeros(len(sample['pred_instances']['bboxes']), 80, 90, dtype=torch.bool)
    for mask, (left, top, right, bottom) in zip(masks, sample['pred_instances']['bboxes'].round().int().tolist()):
        mask[max(top, 0) : bottom, max(left, 0) : right + int(rng.integers(-10, 5))] = True
    sample['pred_instances']['masks'] = masks
    return sample


def with_images(rng: np.random.Generator, i: int) -> dict:
    """What SR4IR adds to a prediction; the first two images are equal."""
    hr = torch.tensor(rng.integers(0, 256, (3, 40, 40)) / 255)
    return dict(hr=hr, task_input=hr if i == 0 else (hr + 0.1).clamp(0, 1))


CASES = {
    'accuracy/top1': (lambda: Accuracy(topk=(1, 2)), classified, 1),
    'mIoU': (lambda: IoUMetric(iou_metrics=['mIoU']), segmented, 1),
    'coco/bbox_mAP': (lambda: CocoMetric(metric='bbox'), detected, 1),
    'coco/segm_mAP': (lambda: CocoMetric(metric=['bbox', 'segm']), outlined, 1),
    'sr/PSNR': (lambda: SRQuality(metrics=['PSNR', 'SSIM'], crop_border=0), with_images, 1),
}


def evaluate(metric, samples: list[dict], out_file=None) -> dict:
    """Evaluate in batches of 5 as a test loop does."""
    evaluator = Evaluator(metric)
    evaluator.dataset_meta = dict(classes=list('abcd'))
    runner = SimpleNamespace(test_loop=SimpleNamespace(evaluator=evaluator))
    hook = ImageResultsHook(str(out_file)) if out_file else None
    if hook:
        hook.before_test_epoch(runner)
    for i in range(0, len(samples), 5):
        evaluator.process(samples[i : i + 5])
    metrics = evaluator.evaluate(len(samples))
    if hook:
        hook.after_test_epoch(runner, metrics)
        assert evaluator.metrics == [metric] and 'compute_metrics' not in vars(metric)
    return metrics


def samples_of(name: str) -> list[dict]:
    rng = np.random.default_rng(0)
    return [dict(CASES[name][1](rng, i), img_path=f'data/{i}.jpg') for i in range(NUMBER)]


@pytest.mark.parametrize('name', CASES)
def test_the_value_comes_out_again(name, tmp_path):
    metric, samples = CASES[name][0], samples_of(name)
    bare, watched = evaluate(metric(), samples), evaluate(metric(), samples, tmp_path / 'a/images.npz')
    assert watched == bare and bare[name] > 0
    table = read_table(tmp_path / 'a/images.npz')
    assert table.images == [f'data/{i}.jpg' for i in range(NUMBER)] and table.classes == list('abcd')
    (value,) = score(table, name, np.ones((1, NUMBER), int))
    digits = {'mIoU': 2, 'coco/bbox_mAP': 3, 'coco/segm_mAP': 3}.get(name, 4)  # to which the metric rounds
    assert value == pytest.approx(bare[name], abs=0.51 * 10**-digits)


def test_the_row_of_an_image_is_its_own(tmp_path):
    samples = samples_of('accuracy/top1')
    evaluate(Accuracy(), samples, tmp_path / 'images.npz')
    correct = read_table(tmp_path / 'images.npz').of('accuracy/top1')['correct']
    assert correct.tolist() == [bool(s['pred_score'].argmax() == s['gt_label']) for s in samples]


def test_a_detector_that_finds_nothing(tmp_path):
    samples = samples_of('coco/bbox_mAP')
    for sample in samples:
        sample['pred_instances'] = {key: value[:0] for key, value in sample['pred_instances'].items()}
    assert evaluate(ZeroFillCocoMetric(metric='bbox'), samples, tmp_path / 'images.npz')['coco/bbox_mAP'] == 0
    table = read_table(tmp_path / 'images.npz')
    assert len(table.of('coco/bbox_mAP')['score']) == 0
    assert score(table, 'coco/bbox_mAP', np.ones((1, NUMBER), int)).tolist() == [0]


def test_other_metrics_have_no_results_of_images(tmp_path):
    evaluate(IoUMetric(iou_metrics=['mDice']), samples_of('mIoU'), tmp_path / 'images.npz')
    assert read_table(tmp_path / 'images.npz').arrays == {}


def test_mistakes_are_found_before_the_test(tmp_path):
    with pytest.raises(SR4IRError, match=r"let out_file='images.json' end in .npz"):
        ImageResultsHook('images.json')
    (tmp_path / 'file').touch()
    with pytest.raises(SR4IRError, match='cannot be written'):
        evaluate(Accuracy(), samples_of('accuracy/top1'), tmp_path / 'file/images.npz')
