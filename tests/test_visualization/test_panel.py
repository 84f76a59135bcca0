"""Panels drawn by the visualizers of all three zoos."""

import numpy as np
import pytest
import torch
from helpers.pictures import BLUE, GREEN, RED, SIZE, WHITE, YELLOW, image, labeled, sample, visualizer
from mmengine.structures import InstanceData
from mmpretrain.structures import DataSample

from sr4ir_mm.visualization import Panel, make_panel
from sr4ir_mm.visualization.panel import difference_map


def colors(panel: Panel) -> list[list[tuple]]:
    """Return the colors of the pictures, row by row, at 4/5 of their height."""
    return [
        [tuple(np.median(picture[len(picture) * 4 // 5], axis=0).astype(int).tolist()) for picture in row.values()]
        for row in (panel.images, panel.drawn)
    ]


def differing(one: Panel, other: Panel) -> list[str]:
    """Return the titles of the drawn pictures that differ."""
    return [title for title in one.drawn if not np.array_equal(one.drawn[title], other.drawn[title])]


def test_segmentation():
    """Black for the ground truth over HR, white for the predictions over what the task network received."""
    data = labeled(sample(), gt_sem_seg=0, pred_sem_seg=1)
    baseline = labeled(sample(task_input=YELLOW), gt_sem_seg=0, pred_sem_seg=0)
    panel = make_panel(visualizer('mmseg.SegLocalVisualizer', alpha=0.5), data, baseline)
    assert list(panel.images) == ['LR', 'bilinear', 'SR', 'HR']
    assert list(panel.drawn)[1:] == ['prediction on bilinear', 'prediction on SR', 'ground truth']
    images, (_, *drawn) = colors(panel)
    assert images == [RED, YELLOW, GREEN, BLUE]
    assert drawn == [(127, 127, 0), (127, 255, 127), (0, 0, 127)]
    assert {picture.shape for picture in panel.images.values()} == {(*SIZE, 3)}
    # 160 px are too few for labels
    assert {picture.shape for picture in list(panel.drawn.values())[1:]} == {(2 * SIZE[0], 2 * SIZE[1], 3)}


@pytest.mark.parametrize('missing', [{'gt_sem_seg'}, {'pred_sem_seg'}, {'gt_sem_seg', 'pred_sem_seg'}])
def test_missing_maps_are_left_out(missing):
    maps = {name: 1 for name in ('gt_sem_seg', 'pred_sem_seg') if name not in missing}
    panel = make_panel(visualizer('mmseg.SegLocalVisualizer', alpha=0.5), labeled(sample(), **maps))
    truth = BLUE if 'gt_sem_seg' in missing else (127, 127, 255)
    assert colors(panel)[1][1:] == [GREEN if 'pred_sem_seg' in missing else (127, 255, 127), truth]


def test_windows_are_where_the_prediction_differs_not_the_image():
    changed = torch.zeros(SIZE, dtype=torch.long)
    changed[70:110, 90:140] = 1
    data, baseline = labeled(sample(), pred_sem_seg=changed), labeled(sample(task_input=YELLOW), pred_sem_seg=0)
    draw = visualizer('mmseg.SegLocalVisualizer')
    ((rows, columns), *_) = make_panel(draw, data, baseline).windows
    assert abs(rows.start - 70) <= 1 and rows.stop - rows.start == 40 and abs(columns.start + columns.stop - 230) <= 2
    assert make_panel(draw, labeled(sample(), pred_sem_seg=0), baseline).windows == []
    assert make_panel(draw, data, baseline, crops=0).windows == []


def test_pixels_without_a_class_in_the_ground_truth_are_no_reason_for_a_window():
    truth, changed = torch.zeros(SIZE, dtype=torch.long), torch.zeros(SIZE, dtype=torch.long)
    truth[:60], changed[10:50, 20:140] = 255, 1
    draw, baseline = visualizer('mmseg.SegLocalVisualizer'), labeled(sample(), pred_sem_seg=0, gt_sem_seg=truth)
    assert make_panel(draw, labeled(sample(), pred_sem_seg=changed, gt_sem_seg=truth), baseline).windows == []
    changed[80:110, 20:60] = 1
    ((rows, _),) = make_panel(draw, labeled(sample(), pred_sem_seg=changed, gt_sem_seg=truth), baseline).windows
    assert 70 <= rows.start <= 90


def test_without_comparison():
    """The baseline L->T receives bilinear up-sampling itself; the SR network alone has no predictions."""
    panel = make_panel(visualizer('Visualizer'), sample(), test_input='bilinear')
    assert list(panel.images) == ['LR', 'bilinear', 'HR'] and panel.windows == []
    assert list(panel.drawn) == ['', 'prediction on bilinear', 'ground truth']
    assert colors(panel) == [[RED, GREEN, BLUE], [WHITE, GREEN, BLUE]]


def test_lr_data_sets_have_no_hr_image():
    data = labeled(sample(ori_shape=(30, 40)))
    del data.hr
    panel = make_panel(visualizer('Visualizer'), data)
    assert list(panel.images) == ['LR', 'SR'] and list(panel.drawn) == [
        'ground truth',
        'prediction on SR',
    ]
    assert colors(panel) == [[RED, GREEN], [RED, GREEN]] and panel.images['LR'].shape == (30, 40, 3)


def boxes(box: list | None, score: float = 1.0) -> InstanceData:
    n = int(box is not None)
    return InstanceData(
        bboxes=torch.tensor([box or [0.0] * 4])[:n].float(),
        labels=torch.ones(n, dtype=torch.long),
        scores=torch.full((n,), score),
    )


def detected(truth: list | None, prediction: list | None, score: float = 1.0, **kwargs):
    data = sample(**kwargs)
    data.gt_instances, data.pred_instances = boxes(truth), boxes(prediction, score)
    return data


def test_detection():
    draw, box = visualizer('mmdet.DetLocalVisualizer'), [9, 60, 99, 99]
    plain, baseline = detected(None, None), detected(None, None, task_input=YELLOW)
    panel = make_panel(draw, plain, baseline)
    assert panel.windows == [] and colors(panel)[1][1:] == [YELLOW, GREEN, BLUE]
    assert differing(make_panel(draw, detected(box, None), baseline), panel) == ['ground truth']
    new = make_panel(draw, detected(None, box), baseline)
    assert differing(new, panel) == ['prediction on SR']
    rows, columns = new.windows[0]
    assert 40 <= rows.start <= 99 and columns.start <= 99  # on the box


def test_a_higher_score_of_the_same_box_is_not_another_prediction():
    draw = visualizer('mmdet.DetLocalVisualizer')
    surer, baseline = detected(None, [20, 60, 99, 99], 0.9), detected(None, [21, 59, 98, 99], 0.5, task_input=YELLOW)
    assert make_panel(draw, surer, baseline).windows == []


def classified(label: int, score: float, sr: torch.Tensor):
    data = sample(DataSample)
    data.set_pred_label(label).set_pred_score(torch.tensor([score, 1 - score])).set_gt_label(1)
    data.task_input = sr
    return data


def test_classification():
    """A class has no place in the image: with another class, the windows are where the SR network changed the image."""
    draw, sr = visualizer('mmpretrain.UniversalVisualizer'), image(YELLOW, *SIZE)
    sr[:, 40:80, 100:150] = 0
    baseline = classified(0, 0.9, image(YELLOW, *SIZE))
    same, other = (make_panel(draw, classified(label, 0.4, sr), baseline) for label in (0, 1))
    assert same.windows == []  # with a lower score
    assert abs(other.windows[0][0].start - 40) <= 1 and 97 <= other.windows[0][1].start <= 100
    assert differing(same, other) == ['prediction on SR']


def test_padding_is_removed_and_the_size_is_that_of_the_original():
    padded = sample(size=(160, 240), img_shape=(120, 160), ori_shape=(60, 160))
    for name, scale in (('lr', 4), ('task_input', 1), ('hr', 1)):
        full = padded.get(name)
        full[:, 120 // scale :], full[..., 160 // scale :] = image(YELLOW, 1, 1), image(YELLOW, 1, 1)
    panel = make_panel(visualizer('Visualizer'), padded, padded)
    for picture, color in zip(panel.images.values(), (RED, GREEN, GREEN, BLUE)):
        assert picture.shape == (60, 160, 3) and (picture == color).all()


def test_difference_map():
    hr = np.full((2, 3, 3), 100, np.uint8)
    bilinear, sr = hr.copy(), hr.copy()
    bilinear[0, 0], sr[0, 1] = 160, 130  # SR is 60 closer there, and 30 further away here
    title, picture = difference_map(bilinear, sr, hr)
    assert title == 'closer to HR: blue, further away: red (+5.0)'
    assert picture.shape == (2, 3, 3) and picture.dtype == np.uint8
    assert picture[0, 0, 2] > picture[0, 0, 0] + 50 and picture[0, 1, 0] > picture[0, 1, 2] + 50
    assert (picture[1] == picture[0, 2]).all() and picture[1].min() > 240


def test_oracle():
    """H->T: the task network receives HR, so the map shows what bilinear up-sampling lacks."""
    panel = make_panel(visualizer('Visualizer'), sample(task_input=BLUE), sample(task_input=YELLOW), test_input='hr')
    assert list(panel.images) == ['LR', 'bilinear', 'HR (task input)', 'HR']
    assert list(panel.drawn)[1:] == ['prediction on bilinear', 'prediction on HR', 'ground truth']
