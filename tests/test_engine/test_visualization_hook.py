from itertools import count, groupby
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from mmengine.registry import VISUALIZERS
from mmengine.structures import BaseDataElement, InstanceData, PixelData
from mmpretrain.structures import DataSample

from sr4ir_mm.engine import SRVisualizationHook

RED, GREEN, BLUE, YELLOW = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)
SIZE = (120, 160)
COUNT = count()


def image(colour: tuple, *size: int) -> torch.Tensor:
    return (torch.tensor(colour) / 255).view(3, 1, 1).expand(3, *size).clone()


def sample(cls: type = BaseDataElement, size: tuple = SIZE, **meta) -> BaseDataElement:
    """LR is red, SR green, HR blue."""
    height, width = size
    meta = dict(dict(img_path='some/where/a.jpg', img_shape=SIZE, ori_shape=SIZE), **meta)
    meta = {key: value for key, value in meta.items() if value}
    images = dict(lr=image(RED, height // 4, width // 4), sr=image(GREEN, *size), hr=image(BLUE, *size))
    return cls(metainfo=meta, **images)


def visualizer(kind: str, **kwargs):
    visualizer = VISUALIZERS.build(dict(type=kind, name=f'visualizer {next(COUNT)}', **kwargs))  # MMEngine keeps them
    visualizer.dataset_meta = dict(classes=('', 'cat'), palette=[(0, 0, 0), (255, 255, 255)])
    return visualizer


def draw(folder: Path, visualizer, *samples: BaseDataElement, batch_idx: int = 0, **kwargs) -> None:
    runner = SimpleNamespace(visualizer=visualizer)
    SRVisualizationHook(str(folder), **kwargs).after_test_iter(runner, batch_idx, {}, list(samples))


def panels(path: Path) -> list[tuple]:
    """The colours of the panels of a picture, from left to right, at 4/5 of its height; margins are white."""
    picture = (plt.imread(path)[..., :3] * 255).round().astype(int)
    line = picture[len(picture) * 4 // 5]
    runs = [np.array(list(run)) for white, run in groupby(line, lambda c: min(c) > 250) if not white]
    assert len({len(run) // 3 for run in runs}) == 1  # of one width
    return [tuple(np.median(run, axis=0).astype(int).tolist()) for run in runs]


def drawn(path: Path, plain: Path) -> list[bool]:
    """In which panels two pictures differ."""
    difference = plt.imread(path) - plt.imread(plain)
    return (np.abs(difference).sum((0, 2)).reshape(5, -1).sum(1) > 0).tolist()


def test_panels_without_predictions(tmp_path):
    """S alone, on images without labels."""
    draw(tmp_path, visualizer('Visualizer'), sample())
    assert panels(tmp_path / 'a.png') == [RED, GREEN, BLUE, BLUE, GREEN]


def seg(sample: BaseDataElement, *which: str) -> BaseDataElement:
    for name, label in (('gt_sem_seg', 0), ('pred_sem_seg', 1)):
        if name in which:
            sample.set_field(PixelData(data=torch.full((1, *SIZE), label)), name)
    return sample


@pytest.mark.parametrize('which', [('gt_sem_seg', 'pred_sem_seg'), ('gt_sem_seg',), ('pred_sem_seg',), ()])
def test_segmentation(tmp_path, which):
    """Black for the ground truth over HR, white for the prediction over SR; what is missing is left out."""
    draw(tmp_path, visualizer('mmseg.SegLocalVisualizer', alpha=0.5), seg(sample(), *which))
    truth = (0, 0, 127) if 'gt_sem_seg' in which else BLUE
    prediction = (127, 255, 127) if 'pred_sem_seg' in which else GREEN
    assert panels(tmp_path / 'a.png') == [RED, GREEN, BLUE, truth, prediction]


def test_detection(tmp_path):
    instances = InstanceData(bboxes=torch.tensor([[9.0, 60, 99, 99]]), labels=torch.tensor([1]), scores=torch.ones(1))
    samples = [sample(img_path=f'{name}.jpg') for name in ('truth', 'prediction', 'plain')]
    for i, data_sample in enumerate(samples):
        data_sample.gt_instances = instances if i == 0 else instances[:0]
        data_sample.pred_instances = instances if i == 1 else instances[:0]
    draw(tmp_path, visualizer('mmdet.DetLocalVisualizer'), *samples)
    plain = tmp_path / 'plain.png'
    assert panels(plain) == [RED, GREEN, BLUE, BLUE, GREEN]
    assert drawn(tmp_path / 'truth.png', plain) == [False, False, False, True, False]
    assert drawn(tmp_path / 'prediction.png', plain) == [False, False, False, False, True]


def test_classification(tmp_path):
    samples = [sample(DataSample, img_path=f'{name}.jpg') for name in ('truth', 'prediction', 'plain')]
    samples[0].set_gt_label(0)
    samples[1].set_pred_label(1)
    draw(tmp_path, visualizer('mmpretrain.UniversalVisualizer'), *samples)
    plain = tmp_path / 'plain.png'
    assert panels(plain) == [RED, GREEN, BLUE, BLUE, GREEN]
    assert drawn(tmp_path / 'truth.png', plain) == [False, False, False, True, False]
    assert drawn(tmp_path / 'prediction.png', plain) == [False, False, False, False, True]


def test_padding_is_cut_off_and_size_is_that_of_the_original(tmp_path):
    padded = sample(size=(160, 240), img_shape=(120, 160), ori_shape=(60, 160))
    for name, scale in (('lr', 4), ('sr', 1), ('hr', 1)):
        full = padded.get(name)
        full[:, 120 // scale :], full[..., 160 // scale :] = image(YELLOW, 1, 1), image(YELLOW, 1, 1)
    draw(tmp_path, visualizer('Visualizer'), padded, sample(img_path='b.jpg', ori_shape=(60, 160)))
    assert panels(tmp_path / 'b.png') == [RED, GREEN, BLUE, BLUE, GREEN]
    assert drawn(tmp_path / 'a.png', tmp_path / 'b.png') == [False] * 5


def test_files(tmp_path):
    nameless = sample(img_path=None)
    backends = dict(vis_backends=[dict(type='LocalVisBackend')], save_dir=str(tmp_path / 'backend'))
    local = visualizer('mmseg.SegLocalVisualizer', **backends)
    for batch in range(4):
        named = seg(sample(img_path=f'{batch}.jpg'), 'gt_sem_seg')
        draw(tmp_path / 'out', local, named, nameless, batch_idx=batch, interval=2)
    names = sorted(path.name for path in (tmp_path / 'out').iterdir())
    assert names == ['000001_1.png', '000003_1.png', '1.png', '3.png']
    assert not list((tmp_path / 'backend').rglob('*.png'))  # T's own backends draw nothing
    assert list(local._vis_backends) == ['LocalVisBackend']
