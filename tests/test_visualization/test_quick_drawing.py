"""Pictures that are rendered once equal those of MMEngine's visualizers."""

import time

import cv2
import numpy as np
import pytest
import torch
from helpers.pictures import visualizer
from mmengine.registry import VISUALIZERS
from mmengine.structures import BaseDataElement, InstanceData, PixelData
from mmengine.visualization import Visualizer
from mmengine.visualization.utils import img_from_canvas

from sr4ir_mm.visualization.drawing import draw_sample
from sr4ir_mm.visualization.quick_drawing import QuickDrawing, quick

HEIGHT, WIDTH = 180, 240
BOXES = torch.tensor([[10.0, 20.0, 90.0, 150.0], [60.0, 5.5, 230.0, 100.2]])
CLASSES = torch.arange(HEIGHT)[:, None].expand(HEIGHT, WIDTH) // 60 % 2
DEPTH = torch.arange(float(HEIGHT * WIDTH)).view(1, HEIGHT, WIDTH)


def instances(**fields) -> InstanceData:
    return InstanceData(labels=torch.tensor([0, 1]), scores=torch.tensor([0.9, 0.4]), bboxes=BOXES, **fields)


def masks() -> torch.Tensor:
    found = np.zeros((2, HEIGHT, WIDTH), np.uint8)
    for mask, center in zip(found, ((50, 80), (140, 60))):
        cv2.circle(mask, center, 35, 1, -1)
    return torch.from_numpy(found).bool()


def det(**fields) -> BaseDataElement:
    from mmdet.structures import DetDataSample

    return DetDataSample(**fields)


def seg(**fields) -> BaseDataElement:
    from mmseg.structures import SegDataSample

    return SegDataSample(**fields)


def cls() -> BaseDataElement:
    from mmpretrain.structures import DataSample

    return DataSample().set_pred_label(1).set_pred_score(torch.tensor([0.2, 0.8]))


CASES = dict(
    boxes=('mmdet.DetLocalVisualizer', lambda: det(pred_instances=instances())),
    masks=('mmdet.DetLocalVisualizer', lambda: det(pred_instances=instances(masks=masks()))),
    panoptic=('mmdet.DetLocalVisualizer', lambda: det(pred_panoptic_seg=PixelData(sem_seg=CLASSES[None]))),
    classes=('mmseg.SegLocalVisualizer', lambda: seg(pred_sem_seg=PixelData(data=CLASSES[None]))),
    depth=('mmseg.SegLocalVisualizer', lambda: seg(pred_depth_map=PixelData(data=DEPTH))),
    label=('mmpretrain.UniversalVisualizer', cls),
)


def picture() -> np.ndarray:
    small = np.random.default_rng(0).integers(0, 256, (4, 4, 3)).astype(np.uint8)
    return cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)


def draw(canvas: Visualizer, sample: BaseDataElement, **options) -> np.ndarray:
    np.random.seed(0)  # colors of instances
    return draw_sample(canvas, picture(), sample, draw_gt=False, **options)


@pytest.mark.parametrize('name', CASES)
def test_pictures_are_the_same_apart_from_labels(name, monkeypatch):
    """Labels are moved and enlarged, see test_texts.py, and mmseg's are no texts."""
    monkeypatch.setattr('sr4ir_mm.visualization.quick_drawing.fit', lambda *args: None)
    kind, sample = CASES[name]
    slow = visualizer(kind)
    fast = quick(slow)
    assert isinstance(fast, QuickDrawing) and not isinstance(slow, QuickDrawing)
    options = dict(with_labels=False) if name == 'classes' else {}
    expected, found = draw(slow, sample(), **options), draw(fast, sample(), **options)
    assert expected.shape == found.shape and not np.array_equal(expected, picture())
    assert np.abs(expected.astype(int) - found).max() <= 2
    assert np.array_equal(draw(fast, sample(), **options), found)  # nothing is left of the picture before


def test_options_of_the_visualizer_stay():
    fast = quick(visualizer('mmdet.DetLocalVisualizer', line_width=1))
    sample = det(pred_instances=instances())
    assert np.array_equal(draw(fast, sample, pred_score_thr=0.95), picture())
    some, all_boxes = (draw(fast, sample, pred_score_thr=thr) for thr in (0.5, 0.1))
    assert not np.array_equal(some, all_boxes) and not np.array_equal(some, picture())


def test_a_box_beyond_the_image_does_not_move_it():
    """With matplotlib 3.11 the image becomes smaller in MMEngine's picture."""
    sample = det(pred_instances=instances())
    sample.pred_instances.bboxes = torch.tensor([[10.0, 20.0, 90.0, 400.0], [60.0, 5.5, 400.0, 100.2]])
    with pytest.warns(UserWarning, match='out of bounds'):
        found = draw(quick(visualizer('mmdet.DetLocalVisualizer')), sample)
    assert (found == picture()).all(2).mean() > 0.8


def test_visualizers_of_users():
    """One that adds to the axes or renders the canvas itself, and one with a canvas of its own."""

    class Dots(Visualizer):
        def add_datasample(self, name, image, data_sample, **kwargs):
            self.set_image(image)
            self.ax_save.plot([20, 100], [20, 100], 'o', color='r', label='dots')
            self.ax_save.legend()

    class Blank(Visualizer):
        def get_image(self):
            return np.zeros((2, 2, 3), np.uint8)

    class Masks(Visualizer):
        def draw_binary_masks(self, binary_masks):
            return self

    for kind in (Dots, Blank, Masks):
        VISUALIZERS.register_module(module=kind, force=True)
    slow = visualizer('Dots')
    fast = quick(slow)
    expected, found = (draw(canvas, BaseDataElement()) for canvas in (slow, fast))
    assert np.abs(expected.astype(int) - found).max() <= 2 and not np.array_equal(found, picture())
    assert np.abs(img_from_canvas(fast.fig_save_canvas).astype(int) - found).max() <= 2
    for own in map(visualizer, ('Blank', 'Masks')):
        assert quick(own) is own


def test_labels_that_a_user_places():
    class Corner(VISUALIZERS.get('mmseg.SegLocalVisualizer')):
        def _get_center_loc(self, mask):
            return super()._get_center_loc(mask) // 4

    VISUALIZERS.register_module(module=Corner, force=True)
    corner, usual = (quick(visualizer(kind)) for kind in ('Corner', 'mmseg.SegLocalVisualizer'))
    for canvas in (corner, usual):
        draw(canvas, CASES['classes'][1]())
    (moved,), (text,) = (canvas.ax_save.texts for canvas in (corner, usual))
    assert moved.get_position()[0] < text.get_position()[0] / 2


def test_time():
    """A tenth is left of mmseg's time and a fourth of mmdet's; the bound is far from them, for busy machines."""
    for kind, sample in (CASES['classes'], CASES['boxes']):
        slow = visualizer(kind)
        seconds = []
        for canvas in (slow, quick(slow)):
            draw(canvas, sample())
            begin = time.process_time()
            for _ in range(3):
                draw(canvas, sample())
            seconds.append(time.process_time() - begin)
        assert seconds[1] < 0.7 * seconds[0]


def test_a_picture_that_was_taken_can_be_drawn_on():
    fast = quick(visualizer('mmdet.DetLocalVisualizer'))
    fast.set_image(picture())
    taken = [fast.get_image()]
    for draw_more in (
        lambda: fast.draw_bboxes(BOXES),
        lambda: fast.draw_texts('cat', BOXES[0, :2]),
        lambda: fast.draw_binary_masks(masks()),
        lambda: fast.draw_lines(BOXES[0, 0::2], BOXES[0, 1::2]),
        lambda: fast.ax_save.texts[0].set_text('dog'),
    ):
        draw_more()
        taken.append(fast.get_image())
        assert not np.array_equal(*taken[-2:]) and np.array_equal(fast.get_image(), taken[-1])
    fast.set_image(picture())
    assert np.array_equal(fast.get_image(), taken[0])
