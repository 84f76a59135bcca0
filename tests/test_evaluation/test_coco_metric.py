"""ZeroFillCocoMetric and VOCMetric as the detection configs use them, on predictions whose score is known."""

from pathlib import Path

import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from sr4ir_mm.evaluation import ZeroFillCocoMetric
from sr4ir_mm.evaluation.coco_scores import OUTPUT, output_in_log

CONFIG = Path(__file__).parents[2] / 'configs/_base_/datasets/voc_det.py'
CLASSES = dict(classes=('cat', 'dog'))
#: a box of one pixel in the corner, and a large one
BOXES, LABELS = [[39.0, 29, 40, 30], [4, 5, 30, 20]], [0, 1]


def sample(boxes: list = BOXES, found: list = BOXES, img_id: str = '0') -> DetDataSample:
    instances = [dict(bbox=box, bbox_label=label, ignore_flag=0) for box, label in zip(boxes, LABELS)]
    result = DetDataSample(metainfo=dict(img_id=img_id, ori_shape=(30, 40), instances=instances))
    for name, field in (('gt_instances', boxes), ('ignored_instances', []), ('pred_instances', found)):
        tensor = torch.tensor(field).reshape(-1, 4)
        scores = torch.linspace(0.9, 0.5, len(field))
        data = InstanceData(bboxes=tensor, labels=torch.tensor(LABELS[: len(field)], dtype=torch.int64), scores=scores)
        result.set_field(data, name)
    return result


def scores(*samples: DetDataSample) -> dict[str, float]:
    init_default_scope('mmdet')
    evaluator = Evaluator(Config.fromfile(CONFIG).val_evaluator[:2])
    evaluator.dataset_meta = CLASSES
    evaluator.process(list(samples))
    return evaluator.evaluate(len(samples))


def test_all_found():
    result = scores(sample(), sample(img_id='1'))
    assert result['coco/bbox_mAP'] == result['pascal_voc/mAP'] == result['pascal_voc/AP50'] == 1


def test_the_table_goes_to_the_log(capfd, monkeypatch):
    """pycocotools prints it, over the progress bar of a training, and the log file went without it."""
    messages = []
    monkeypatch.setattr('sr4ir_mm.evaluation.coco_scores.print_log', lambda text, *args: messages.append(text))
    scores(sample())
    assert 'Average Precision' not in capfd.readouterr().out
    assert [text.startswith(OUTPUT) and 'Average Precision  (AP) @[ IoU=0.50:0.95' in text for text in messages] == [
        True
    ]


def test_what_a_metric_has_printed_before_it_fails_is_in_the_log(monkeypatch):
    messages = []
    monkeypatch.setattr('sr4ir_mm.evaluation.coco_scores.print_log', lambda text, *args: messages.append(text))
    with pytest.raises(ValueError, match='no boxes'), output_in_log():
        print('Loading and preparing results...')
        raise ValueError('no boxes')
    assert messages == [f'{OUTPUT}Loading and preparing results...\n']


def test_half_found():
    """One class right, the other's box far off."""
    result = scores(sample(found=[BOXES[0], [4.0, 5, 8, 8]]))
    assert result['coco/bbox_mAP'] == result['pascal_voc/mAP'] == 0.5


def test_nothing_found():
    result = scores(sample(found=[]), sample(found=[], img_id='1'))
    assert result['pascal_voc/mAP'] == 0
    coco = {name: value for name, value in result.items() if name.startswith('coco/')}
    names = ('mAP', 'mAP_50', 'mAP_75', 'mAP_s', 'mAP_m', 'mAP_l')
    assert coco == {f'coco/bbox_{name}': 0 for name in names}
    assert set(coco) == {name for name in scores(sample()) if name.startswith('coco/')}  # as when there is something


def test_nothing_to_find():
    result = scores(sample(boxes=[]), sample(boxes=[], img_id='1'))
    assert (result['coco/bbox_mAP'], result['pascal_voc/mAP']) == (-1, 0)


@pytest.mark.parametrize('found, expected', [(BOXES, 1), ([], 0)])
def test_chosen_items(found, expected):
    metric = ZeroFillCocoMetric(metric='bbox', metric_items=['mAP_50'])
    metric.dataset_meta = CLASSES
    metric.process({}, [sample(found=found).to_dict()])
    assert metric.evaluate(1) == {'coco/bbox_mAP_50': expected}
