"""Labels in pictures: inside, and large enough."""

import numpy as np
import pytest
import torch
from helpers.pictures import visualizer
from mmengine.structures import InstanceData, PixelData

from sr4ir_mm.visualization.drawing import draw_sample
from sr4ir_mm.visualization.quick_drawing import quick
from sr4ir_mm.visualization.texts import MARGIN, SMALLEST

HEIGHT, WIDTH = 120, 200
CORNERS = [[1.0, 1, 30, 20], [180, 1, 199, 20], [1, 105, 30, 119], [170, 100, 199, 119]]


def extents(canvas) -> list:
    renderer = canvas.fig_save_canvas.get_renderer()
    return [text.get_window_extent(renderer) for text in canvas.ax_save.texts]


def detected(name: str, *boxes: list[float]):
    count = len(boxes)
    found = InstanceData(
        bboxes=torch.tensor(boxes), labels=torch.ones(count, dtype=torch.long), scores=torch.full((count,), 0.9)
    )
    canvas = quick(visualizer('mmdet.DetLocalVisualizer'))
    image = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    picture = canvas._draw_instances(image, found, ('', name), [(0, 0, 0), (255, 0, 0)])
    return canvas, picture


@pytest.mark.parametrize('name', ['cat', 'a name that is much longer than the picture is wide, as some are'])
def test_labels_of_boxes_are_inside(name):
    canvas, picture = detected(name, *CORNERS)
    boxes = extents(canvas)
    assert len(boxes) == 4 and picture.shape == (HEIGHT, WIDTH, 3)
    for box in boxes:
        assert box.x0 >= MARGIN - 1 and box.y0 >= MARGIN - 1
        assert box.x1 <= WIDTH - MARGIN + 1 and box.y1 <= HEIGHT - MARGIN + 1


def test_small_labels_become_larger():
    canvas, _ = detected('cat', CORNERS[0])
    (text,) = canvas.ax_save.texts
    assert canvas.fig_save_canvas.get_renderer().points_to_pixels(text.get_fontsize()) >= SMALLEST - 1e-6
    canvas.smallest_text = 30
    before = text.get_fontsize()
    canvas.ax_save.stale = True
    canvas.get_image()
    assert text.get_fontsize() > 1.5 * before


def test_names_of_classes_are_written_in_white_on_black():
    from mmseg.structures import SegDataSample

    classes = torch.zeros(1, HEIGHT, WIDTH, dtype=torch.long)
    classes[..., 190:] = 1
    canvas = quick(visualizer('mmseg.SegLocalVisualizer'))
    canvas.dataset_meta = dict(classes=('sky', 'traffic light'), palette=[(0, 0, 0), (255, 255, 255)])
    sample = SegDataSample(pred_sem_seg=PixelData(data=classes))
    picture = draw_sample(canvas, np.full((HEIGHT, WIDTH, 3), 128, np.uint8), sample)
    assert sorted(text.get_text() for text in canvas.ax_save.texts) == ['sky', 'traffic light']
    assert all(box.x0 >= 0 and box.x1 <= WIDTH for box in extents(canvas))
    right = picture[:, 150:].reshape(-1, 3)
    assert (right < 40).all(1).any() and (right > 250).all(1).any()
    draw_sample(canvas, np.full((HEIGHT, WIDTH, 3), 128, np.uint8), sample, with_labels=False)
    assert not canvas.ax_save.texts
