"""tools/test.py --lr-input: LR images score as their HR images do in the usual test."""

import json
import pickle
import shutil
from pathlib import Path

import cv2
import pytest
import torch
from helpers.voc_boxes import make_voc_boxes, write_boxes
from helpers.zoo import make_voc, run_tool, tiny_config
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from test_detection import CAT, DOG, config

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.inference.lr_input import use_lr_input
from sr4ir_mm.inference.lr_predictor import lr_image
from sr4ir_mm.models import BicubicDegradation
from sr4ir_mm.registry import MODELS
from sr4ir_mm.utils import to_uint8

SIZES = ((64, 64), (48, 80), (63, 70))  # the last: S returns more than there is in HR


def make_lr(hr: Path, lr: Path) -> Path:
    """The same data set with images a quarter as large, stored without loss whatever the suffix is."""
    shutil.copytree(hr, lr)
    for path in (lr / 'JPEGImages').iterdir():
        image = to_uint8(BicubicDegradation(4)(lr_image(cv2.imread(str(path)))[None])[0])
        path.write_bytes(cv2.imencode('.png', image[..., ::-1])[1].tobytes())
    return lr


def metrics(work_dir: Path) -> dict:
    (log,) = work_dir.glob('*/*.json')
    return json.loads(log.read_text())


@pytest.fixture(scope='module')
def segmentation(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp('lr')
    make_lr(make_voc(folder / 'voc', SIZES), folder / 'lr')
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmseg'):
        model = MODELS.build(Config.fromfile(tiny_config(folder, 'voc')).model)
    torch.save(dict(state_dict=model.state_dict()), folder / 'net.pth')
    options = ('--work-dir', 'hr-test', '--out', 'hr.pkl')
    assert run_tool('test', 'tiny.py', 'net.pth', *options, cwd=folder) == 0
    return folder


def run_lr(folder: Path, annotations: str, *options: str) -> dict:
    work_dir = '-'.join((annotations, 'annotations', *options))
    args = ('--lr-input', annotations, '--work-dir', work_dir, *options)
    names = (f'experiment_name={work_dir}', f'visualizer.name={work_dir}')
    assert run_tool('test', 'tiny.py', 'net.pth', *args, '--cfg-options', 'data_root=lr', *names, cwd=folder) == 0
    return metrics(folder / work_dir)


def test_segmentation_with_hr_masks(segmentation):
    found = run_lr(segmentation, 'hr', '--out', 'lr.pkl', '--show-dir', 'panels')
    assert found['mIoU'] == pytest.approx(metrics(segmentation / 'hr-test')['mIoU'], abs=0.2)
    assert not any('PSNR' in name for name in found)
    hr, lr = (pickle.loads((segmentation / f'{name}.pkl').read_bytes()) for name in ('hr', 'lr'))
    for ours, expected in zip(lr, hr):
        ours, expected = (sample['pred_sem_seg']['data'] for sample in (ours, expected))
        assert ours.shape == expected.shape and (ours == expected).float().mean() > 0.97
    assert torch.equal(lr[0]['pred_sem_seg']['data'], hr[0]['pred_sem_seg']['data'])  # sides that 4 divides: the same
    assert len(list((segmentation / 'panels').iterdir())) == len(SIZES)


def test_segmentation_with_lr_masks(segmentation):
    for path in (segmentation / 'lr/SegmentationClass').iterdir():
        mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        cv2.imwrite(str(path), mask[::4, ::4])
    assert 0 <= run_lr(segmentation, 'lr')['mIoU'] <= 100


@pytest.mark.parametrize('annotations', ['hr', 'lr'])
def test_detection(tmp_path, annotations):
    """Boxes come in the coordinates of the annotations, and score as in the test on HR."""
    images = [((64, 96), [CAT, DOG]), ((60, 84), [DOG])]  # the task network pads the second, before S in both tests
    hr = make_voc_boxes(tmp_path / 'voc', images)
    lr = make_lr(hr, tmp_path / 'lr')
    if annotations == 'lr':
        for i, (size, boxes) in enumerate(images):
            small = [(name, *(-(-side // 4) for side in box)) for name, *box in boxes]
            write_boxes(lr / f'Annotations/{i}.xml', tuple(-(-side // 4) for side in size), small)
    found = []
    for root, lr_input in ((hr, False), (lr, True)):
        cfg = config(root, randomness=dict(seed=0))
        if lr_input:
            use_lr_input(cfg, annotations)
        cfg.test_evaluator = [*cfg.test_evaluator, dict(type='sr4ir_mm.DumpPredictions', out_file_path=f'{root}.pkl')]
        runner = Runner.from_cfg(cfg)
        runner.model.random_parts = []  # random weights are refused otherwise; both tests have the same ones
        runner.test()
        found.append(pickle.loads(Path(f'{root}.pkl').read_bytes()))
    for expected, ours in zip(*found):
        ours, expected = (sample['pred_instances']['bboxes'] for sample in (ours, expected))
        if annotations == 'lr':
            expected = expected / 4
        assert len(expected) > 2 and torch.allclose(ours, expected, atol=1e-2)


def test_slices(segmentation, capsys):
    """A network for maps of classes has windows of its own; one that holds the whole image changes nothing."""
    whole, same = (run_lr(segmentation, 'hr', *options)['mIoU'] for options in ((), ('--slice', '128')))
    assert same == whole
    assert 0 <= run_lr(segmentation, 'hr', '--slice', '32', '--slice-overlap', '0.5')['mIoU'] != whole
    assert run_tool('test', 'tiny.py', 'net.pth', '--slice', '64', cwd=segmentation) == 2
    assert '--slice is for LR images of any size: add --lr-input' in capsys.readouterr().err


@pytest.mark.slow
def test_slices_for_a_detector(tmp_path):
    """The predictions of slices are scored in the coordinates of the annotations."""
    lr = make_lr(make_voc_boxes(tmp_path / 'voc', [((64, 96), [CAT, DOG])]), tmp_path / 'lr')
    cfg = config(lr, randomness=dict(seed=0))
    use_lr_input(cfg, 'hr', 48, 0.25)
    cfg.test_evaluator = [*cfg.test_evaluator, dict(type='sr4ir_mm.DumpPredictions', out_file_path=f'{lr}.pkl')]
    runner = Runner.from_cfg(cfg)
    runner.model.random_parts = []
    task, seen = runner.model.task, []
    task.register_forward_pre_hook(lambda module, args: seen.append(1))
    runner.test()
    (sample,) = pickle.loads(Path(f'{lr}.pkl').read_bytes())
    boxes = sample['pred_instances']['bboxes']
    assert len(seen) == 1 + 2 * 3 and boxes[:, 2].max() > 60 and boxes.max() <= 96.01 and boxes.min() >= 0


def test_no_metric_or_no_image():
    dataset = dict(pipeline=[dict(type='LoadImageFromFile'), dict(type='PackInputs')])
    cfg = Config(dict(test_dataloader=dict(dataset=dataset), test_evaluator=dict(type='sr4ir_mm.SRQuality')))
    with pytest.raises(SR4IRError, match='no other metric'):
        use_lr_input(cfg)
    with pytest.raises(SR4IRError, match='LoadImageFromFile'):
        use_lr_input(Config(dict(test_dataloader=dict(dataset=dict(pipeline=[])), test_evaluator=[])))
