"""Which panels are drawn, where they are saved, and what the task network predicts on bilinear up-sampling."""

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from helpers.pictures import labeled, sample, visualizer
from helpers.toy import EDSR, ToyClassifier, toy_batch
from mmengine.dataset import BaseDataset, ConcatDataset
from mmengine.registry import VISBACKENDS
from mmengine.structures import InstanceData

from sr4ir_mm.engine import SRVisualizationHook
from sr4ir_mm.engine.visualization_hook import panel_names
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR
from sr4ir_mm.utils.names import UniqueNames
from sr4ir_mm.visualization import predict_on_bilinear


class Images(BaseDataset):
    def __init__(self, *paths: str) -> None:
        self.paths = paths
        super().__init__()

    def load_data_list(self) -> list[dict]:
        return [dict(img_path=path) for path in self.paths]


def make_runner(visualizer, *paths: str, iteration: int = 0) -> SimpleNamespace:
    loader = SimpleNamespace(dataset=Images(*(paths or ['some/where/a.jpg'])))
    return SimpleNamespace(
        visualizer=visualizer, model=SimpleNamespace(scheme=SimpleNamespace(test_input='bilinear')), iter=iteration,
        test_dataloader=loader, val_dataloader=loader,
    )  # fmt: skip


def draw(runner, *samples, batch_idx: int = 0, out_dir: Path | None = None, **kwargs) -> None:
    hook = SRVisualizationHook(out_dir and str(out_dir), **kwargs)
    hook.before_test_epoch(runner)
    hook.after_test_iter(runner, batch_idx, {}, list(samples))


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob('*.png'))


def seg_visualizer(folder: Path, *backends: str):
    backends = [dict(type=backend) for backend in backends]
    return visualizer('mmseg.SegLocalVisualizer', vis_backends=backends, save_dir=str(folder))


def test_files(tmp_path):
    runner = make_runner(visualizer('Visualizer'))
    for batch in range(4):
        samples = sample(img_path=f'some/where/{batch}.jpg'), sample(img_path=None)
        draw(runner, *samples, batch_idx=batch, out_dir=tmp_path, interval=2)
    assert files(tmp_path) == ['000001_1.png', '000003_1.png', '1.png', '3.png']
    height, width = cv2.imread(str(tmp_path / '1.png')).shape[:2]
    assert width == 4 + 3 * 304 and height == 2 * (22 + 225) + 4  # three pictures above three


def test_images_of_one_name_in_several_folders(tmp_path):
    paths = ['data/cat/1.jpg', 'data/dog/1.jpg', 'data/dog/small/1.jpg']
    runner = make_runner(seg_visualizer(tmp_path / 'backend', 'LocalVisBackend'), *paths)
    for folder in (tmp_path / 'out', None):
        draw(runner, *(sample(img_path=path) for path in paths), out_dir=folder)
    assert files(tmp_path / 'out') == ['cat/1.png', 'dog/1.png', 'dog/small/1.png']
    local = [f'vis_data/vis_image/{name}.png_0.png' for name in ('cat__1', 'dog__1', 'dog__small__1')]
    assert files(tmp_path / 'backend') == local


def names(data_set) -> list[str]:
    return [name for entry in panel_names(data_set, UniqueNames()).values() for name in entry]


def test_names_of_panels():
    assert names(Images('data/a/1.jpg', 'data/a/2.jpg')) == ['1', '2']
    assert names(ConcatDataset([Images('data/a/1.jpg'), Images('data/b/1.jpg')])) == ['a/1', 'b/1']
    assert names(ConcatDataset([Images('data/1.jpg'), Images(str(Path('data/1.png').resolve()))])) == ['1', '1_2']
    assert names([1, 2]) == []  # PyTorch's own data sets have no paths
    assert names(Images('')) == []


@pytest.mark.parametrize(
    ('paths', 'expected'),
    [
        (['d/0.jpg', 'd/0.png', 'd/0.PNG'], ['0.png', '0_2.png', '0_3.png']),
        (['d/scan.001', 'd/scan.002'], ['scan.001.png', 'scan.002.png']),
        (['d/a_2.jpg', 'd/a.jpg', 'd/a.png'], ['a.png', 'a_2.png', 'a_3.png']),
        (['d/a.jpg', 'd/a.jpg'], ['a.png', 'a_2.png']),  # two annotations of one image
        (['d/x/y.jpg', 'd/x__y.jpg'], ['x/y.png', 'x__y_2.png']),
        (['d/A.jpg', 'd/a.jpg'], ['A.png', 'a_2.png']),
    ],
)
def test_panels_of_similar_names(tmp_path, paths, expected):
    """None overwrites another, in files and in the local backend, and each epoch uses the same names."""
    hook = SRVisualizationHook(str(tmp_path / 'out'))
    runner = make_runner(visualizer('Visualizer'), *paths)
    for _ in range(2):
        hook.before_test_epoch(runner)
        for i, path in enumerate(paths):
            hook.after_test_iter(runner, i, {}, [sample(img_path=path)])
        assert sorted(files(tmp_path / 'out')) == sorted(expected)
    runner = make_runner(seg_visualizer(tmp_path / 'backend', 'LocalVisBackend'), *paths)
    draw(runner, *(sample(img_path=path) for path in paths))
    assert len(files(tmp_path / 'backend')) == len(paths)


def test_images_that_the_data_set_does_not_list(tmp_path):
    runner = make_runner(visualizer('Visualizer'))
    runner.test_dataloader.dataset = [1, 2]
    samples = [sample(img_path=path) for path in ('a/0.jpg', 'b/0.jpg', None, None)]
    draw(runner, *samples, out_dir=tmp_path)
    assert files(tmp_path) == ['0.png', '000000_2.png', '000000_3.png', '0_2.png']


@pytest.mark.parametrize('backend', [True, False], ids=['backend', 'out_dir'])
def test_a_panel_that_cannot_be_written(tmp_path, backend):
    (tmp_path / 'file').write_text('')
    folder = tmp_path / 'file/panels'  # a file is no folder
    runner = make_runner(seg_visualizer(tmp_path, 'LocalVisBackend'))
    runner.visualizer.get_backend('LocalVisBackend').experiment._img_save_dir = str(folder)
    with pytest.raises(SR4IRError, match=rf"'{folder}/a.*png' cannot be written: Not a directory"):
        draw(runner, sample(img_path='some/where/a.jpg'), out_dir=None if backend else folder)


@pytest.mark.parametrize('number', [dict(interval=0), dict(interval=1.5), dict(crops=-1)])
def test_numbers_out_of_range(number):
    with pytest.raises(SR4IRError, match=rf'SRVisualizationHook: {next(iter(number))}=.* must be a whole number'):
        SRVisualizationHook(**number)


def test_local_backend_and_out_dir_do_not_both_save_the_panels(tmp_path):
    runner = make_runner(seg_visualizer(tmp_path / 'backend', 'LocalVisBackend'))
    draw(runner, labeled(sample(), gt_sem_seg=0), out_dir=tmp_path / 'out')
    assert files(tmp_path) == ['out/a.png']  # the task network's visualizer, which draws, saves none either
    assert list(runner.visualizer._vis_backends) == ['LocalVisBackend']


def test_tensorboard(tmp_path):
    """The backends of the runner's visualizer receive the panel, at the step of the training."""
    pytest.importorskip('tensorboard')
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    runner = make_runner(seg_visualizer(tmp_path, 'TensorboardVisBackend', 'LocalVisBackend'), iteration=7)
    draw(runner, sample(), out_dir=tmp_path / 'out')
    runner.visualizer.close()
    (log,) = tmp_path.rglob('events.out.*')
    events = EventAccumulator(str(log)).Reload()
    (event,) = events.Images('a.png')
    shown = cv2.imdecode(np.frombuffer(event.encoded_image_string, np.uint8), cv2.IMREAD_COLOR)
    assert event.step == 7 and np.array_equal(shown, cv2.imread(str(tmp_path / 'out/a.png')))


def test_score_threshold(tmp_path):
    data = sample()
    data.gt_instances = InstanceData()
    box = dict(bboxes=torch.tensor([[9.0, 60, 99, 99]]), labels=torch.tensor([1]), scores=torch.tensor([0.2]))
    data.pred_instances = InstanceData(**box)
    pictures = []
    for threshold in (0.3, 0.1):
        runner = make_runner(visualizer('mmdet.DetLocalVisualizer'))
        draw(runner, data, out_dir=tmp_path, draw_cfg=dict(pred_score_thr=threshold))
        pictures.append(cv2.imread(str(tmp_path / 'a.png')))
    assert (pictures[0] != pictures[1]).any()


def test_other_processes_draw_their_images(tmp_path, monkeypatch):
    """MMEngine's visualizers return without having drawn there."""
    draw(make_runner(visualizer('Visualizer')), sample(), out_dir=tmp_path / 'first')
    monkeypatch.setattr('mmengine.dist.utils.is_main_process', lambda group=None: False)
    draw(make_runner(visualizer('Visualizer')), sample(), out_dir=tmp_path / 'other')
    (first,), (other,) = ((tmp_path / name).iterdir() for name in ('first', 'other'))
    assert first.name == other.name and first.read_bytes() == other.read_bytes()


class Recorder:
    """A backend like MLflow's and W&B's."""

    def __init__(self, save_dir: str) -> None:
        self._save_dir = save_dir
        self.images: list[tuple] = []

    def add_image(self, name: str, image: np.ndarray, step: int = 0, **_) -> None:
        self.images.append((name, image.shape, image.dtype, step))


def test_any_backend(tmp_path):
    VISBACKENDS.register_module(name='Recorder', module=Recorder, force=True)
    runner = make_runner(seg_visualizer(tmp_path, 'Recorder'), iteration=3)
    draw(runner, sample())
    ((name, shape, dtype, step),) = runner.visualizer.get_backend('Recorder').images
    assert (name, step, dtype) == ('a.png', 3, np.uint8) and shape[2] == 3
    assert files(tmp_path) == []


@pytest.mark.parametrize('during_val', [True, False])
def test_validation(tmp_path, during_val):
    hook = SRVisualizationHook(str(tmp_path), during_val=during_val)
    for iteration in (10, 20):
        runner = make_runner(visualizer('Visualizer'), iteration=iteration)
        hook.before_val_epoch(runner)
        hook.after_val_iter(runner, 0, {}, [sample()])
    assert files(tmp_path) == (['iter_10/a.png', 'iter_20/a.png'] if during_val else [])


def toy(scheme: str, task: ToyClassifier) -> SR4IR:
    sr = None if scheme == 'L->T' else dict(EDSR)
    return SR4IR(sr, task, 4, scheme, tdp=dict(layers={'backbone': 1.0})).eval()


@torch.no_grad()  # as in MMEngine's loops
def test_prediction_on_bilinear_is_what_the_baseline_predicts():
    task = ToyClassifier(num_classes=1000)
    model, baseline = toy('SR4IR', task), toy('L->T', task)
    outputs = model.test_step(toy_batch(n=3))
    before = [(output.pred.clone(), output.task_input.clone()) for output in outputs]
    expected = baseline.test_step(toy_batch(n=3))
    found = predict_on_bilinear(model, outputs)
    assert [new.pred for new in found] == [wanted.pred for wanted in expected]
    assert [new.pred for new in found] != [output.pred for output in outputs]
    for new, wanted, output, (pred, task_input) in zip(found, expected, outputs, before):
        torch.testing.assert_close(new.task_input, wanted.task_input)
        assert output.pred == pred and torch.equal(output.task_input, task_input)  # the task network wrote into copies


@torch.no_grad()
def test_the_sr_network_alone_predicts_nothing():
    model = toy('S', ToyClassifier())
    outputs = model.test_step(toy_batch())
    assert all('pred' not in new and 'task_input' in new for new in predict_on_bilinear(model, outputs))


@torch.no_grad()
@pytest.mark.parametrize(('scheme', 'across'), [('SR4IR', 4), ('H->T', 4), ('S', 4), ('L->T', 3)])
def test_every_scheme(tmp_path, scheme, across):
    """A real forward pass, drawn by a visualizer that draws no predictions."""
    sr = None if scheme in ('H->T', 'L->T') else dict(EDSR)
    model = SR4IR(sr, ToyClassifier(), 4, scheme, tdp=dict(layers={'backbone': 1.0})).eval()
    runner = make_runner(visualizer('Visualizer'), '0.png')
    runner.model = model
    draw(runner, *model.test_step(toy_batch()), out_dir=tmp_path)
    assert files(tmp_path) == ['0.png', '1.png']
    assert cv2.imread(str(tmp_path / '0.png')).shape[1] == 4 + across * 304
