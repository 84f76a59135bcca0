"""What lies in the windows where two predictions differ, drawn again with labels of its own."""

import numpy as np
import pytest
import torch
from helpers.pictures import GREEN, SIZE, YELLOW, labeled, sample, visualizer
from mmengine.structures import InstanceData, PixelData

from sr4ir_mm.visualization import make_panel, render
from sr4ir_mm.visualization.crops import crop
from sr4ir_mm.visualization.panel import WIDTH
from sr4ir_mm.visualization.quick_drawing import quick


def detected(*boxes: list[float], **options):
    data = sample(**options)
    data.pred_instances = data.gt_instances = InstanceData(
        bboxes=torch.tensor(boxes).reshape(-1, 4), labels=torch.ones(len(boxes), dtype=torch.long),
        scores=torch.ones(len(boxes)), masks=torch.ones(len(boxes), *SIZE, dtype=torch.bool),
    )  # fmt: skip
    return data


def test_objects_of_a_window():
    window = slice(20, 60), slice(40, 100)
    data = detected([50.0, 30, 70, 50], [0, 0, 60, 200], [0, 0, 39, 100])
    objects = crop(data, window, (80, 120)).pred_instances
    assert objects.bboxes[0].tolist() == [20, 20, 60, 60] and len(objects.labels) == len(objects.scores) == 2
    left, top, right, bottom = objects.bboxes[1].tolist()
    assert left < 0 > top and right == 40 and bottom > 80  # its edges there are not those of the window
    assert objects.masks.shape == (2, 80, 120) and len(data.pred_instances) == 3
    assert len(crop(detected(), window, (80, 120)).pred_instances) == 0


def test_maps_of_a_window():
    classes = torch.arange(SIZE[0])[:, None].expand(*SIZE) // 30
    found = crop(labeled(sample(), pred_sem_seg=classes), (slice(30, 90), slice(0, 80)), (120, 160))
    assert found.pred_sem_seg.data.shape == (1, 120, 160) and found.ori_shape == (120, 160)
    assert found.pred_sem_seg.data[0, :, 5].tolist() == [1] * 60 + [2] * 60


@pytest.mark.parametrize('name', ['cat', 'an animal of which only a part is in the window'])
def test_labels_are_inside_the_frame(name, monkeypatch):
    extents = []

    def note(canvas):
        renderer = canvas.fig_save_canvas.get_renderer()
        if canvas.width == WIDTH:
            extents.extend(text.get_window_extent(renderer) for text in canvas.ax_save.texts)

    canvas = quick(visualizer('mmdet.DetLocalVisualizer'))
    canvas.dataset_meta = dict(classes=('', name), palette=[(0, 0, 0), (255, 0, 0)])
    render_picture = type(canvas)._render
    monkeypatch.setattr(type(canvas), '_render', lambda self: (render_picture(self), note(self))[0])
    panel = make_panel(canvas, detected([30.0, 20, 150, 110]), detected(task_input=YELLOW))
    assert len(panel.windows) == 2 == len(panel.details) and all(len(row) == 3 for row in panel.details)
    assert panel.details[0][0].shape == (226, WIDTH, 3)
    assert extents and all(4 <= box.x0 < box.x1 <= WIDTH - 4 and 4 <= box.y0 < box.y1 <= 222 for box in extents)
    assert render(panel).ndim == 3


def test_a_class_of_the_image_is_not_repeated_in_its_windows():
    from mmpretrain.structures import DataSample

    def classified(label: int, **options) -> DataSample:
        data = sample(DataSample, **options)
        return data.set_pred_label(label).set_pred_score(torch.tensor([0.5, 0.5])).set_gt_label(1)

    draw = visualizer('mmpretrain.UniversalVisualizer')
    panel = make_panel(draw, classified(0), classified(1, task_input=YELLOW))
    assert panel.windows and all((row[1] == GREEN).all() for row in panel.details)


def test_a_visualizer_of_a_user_may_draw_anything():
    """Its windows are parts of what it draws."""
    from mmdet.visualization import DetLocalVisualizer

    class Own(DetLocalVisualizer):
        pass

    canvas = Own(name='own')
    canvas.dataset_meta = dict(classes=('', 'cat'), palette=[(0, 0, 0), (255, 0, 0)])
    panel = make_panel(canvas, detected([30.0, 20, 150, 110]), detected(task_input=YELLOW))
    assert panel.windows and panel.details == [] and render(panel).ndim == 3


def test_depth_has_no_windows_of_its_own():
    def deep(value: float, **options):
        data = sample(**options)
        data.set_data(dict(pred_depth_map=PixelData(data=torch.full((1, *SIZE), value))))
        return data

    draw = visualizer('mmseg.SegLocalVisualizer')
    assert make_panel(draw, deep(1.0), deep(2.0, task_input=YELLOW)).details == []
    assert np.isfinite(render(make_panel(draw, deep(1.0), deep(2.0, task_input=YELLOW)))).all()
