"""--tta, --classes and --score-thr of tools/test.py and tools/infer.py."""

import json
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from helpers.voc_boxes import make_voc_boxes
from helpers.zoo import make_voc, run_tool, tiny_config
from mmengine.config import Config
from mmengine.registry import DefaultScope
from test_detection import IMAGES, config

from sr4ir_mm.registry import MODELS


def save(folder: Path, cfg: Config, scope: str) -> None:
    """Weights as good as those of a training, for a test."""
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope(scope):
        torch.save(dict(state_dict=MODELS.build(cfg.model).state_dict()), folder / 'net.pth')


@pytest.fixture(scope='module')
def segmentation(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp('seg')
    make_voc(folder / 'voc')
    save(folder, Config.fromfile(tiny_config(folder)), 'mmseg')
    return folder


@pytest.fixture(scope='module')
def detection(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp('det')
    cfg = config(make_voc_boxes(folder / 'voc', IMAGES))
    cfg.dump(folder / 'tiny.py')
    save(folder, cfg, 'mmdet')
    return folder


def metrics(folder: Path, name: str, *args: object) -> dict:
    """Test, and return the metrics."""
    names = (f'experiment_name={folder.name}{name}', f'visualizer.name={folder.name}{name}')
    args = ('tiny.py', 'net.pth', '--work-dir', name, *args, '--cfg-options', *names)
    assert run_tool('test', *args, cwd=folder) == 0
    return json.loads(next((folder / name).glob('*/*.json')).read_text())


def predictions(path: Path) -> list[dict]:
    return pickle.loads(path.read_bytes())


def test_segmentation_of_some_classes(segmentation):
    whole = metrics(segmentation, 'whole', '--out', 'whole.pkl')
    some = metrics(segmentation, 'some', '--classes', 'background', 2, '--out', 'some.pkl', '--show-dir', 'panels')
    assert some['sr/PSNR'] == whole['sr/PSNR'] and len(list((segmentation / 'panels').iterdir())) == 4
    overlaps = []
    for label in (0, 2):
        pairs = [(x['gt_sem_seg']['data'] == label, x['pred_sem_seg']['data'] == label)
                 for x in predictions(segmentation / 'whole.pkl')]  # fmt: skip
        union = sum((one | other).sum() for one, other in pairs)
        overlaps += [sum((one & other).sum() for one, other in pairs) / union] if union else []
    assert some['mIoU'] == pytest.approx(100 * float(np.mean(overlaps)), abs=0.01)
    found = {int(value) for x in predictions(segmentation / 'some.pkl') for value in x['pred_sem_seg']['data'].unique()}
    assert found <= {0, 2, 255}


@pytest.mark.parametrize('lr_input', [(), ('--lr-input', 'hr')])
def test_augmentation(segmentation, lr_input):
    name = 'lr' if lr_input else 'hr'
    if lr_input and not (segmentation / 'lr').exists():
        make_voc(segmentation / 'lr', ((16, 16),) * 4)
        for path in (segmentation / 'voc/SegmentationClass').iterdir():
            (segmentation / 'lr/SegmentationClass' / path.name).write_bytes(path.read_bytes())
    data = ('data_root=lr',) if lr_input else ()
    for option in ((), ('--tta',)):
        run = f'{name}-{len(option)}'
        names = (f'experiment_name={run}', f'visualizer.name={run}', *data)
        args = ('tiny.py', 'net.pth', '--work-dir', run, *lr_input, *option, '--out', f'{run}.pkl')
        assert run_tool('test', *args, '--cfg-options', *names, cwd=segmentation) == 0
    plain, views = ([x['pred_sem_seg']['data'] for x in predictions(segmentation / f'{name}-{i}.pkl')] for i in (0, 1))
    assert all(one.shape == other.shape == (1, 64, 64) for one, other in zip(plain, views))
    assert any(not torch.equal(one, other) for one, other in zip(plain, views))


def test_detection_of_some_classes(detection):
    whole = metrics(detection, 'whole', '--out', 'whole.pkl')
    some = metrics(detection, 'some', '--classes', 'dog', '--out', 'some.pkl', '--show-dir', 'panels', '--score-thr', 0)
    assert len(list((detection / 'panels').iterdir())) == 2
    dog = Config.fromfile(detection / 'tiny.py').test_dataloader.dataset.get('metainfo', {}).get('classes', ())
    labels = {int(label) for x in predictions(detection / 'some.pkl') for label in x['pred_instances']['labels']}
    label = list(dog).index('dog') if dog else 11  # of PASCAL VOC
    assert labels <= {label} and set(some) == set(whole)
    expected = [x['pred_instances']['bboxes'][x['pred_instances']['labels'] == label] for x in
                predictions(detection / 'whole.pkl')]  # fmt: skip
    for boxes, sample in zip(expected, predictions(detection / 'some.pkl')):
        assert torch.equal(boxes, sample['pred_instances']['bboxes'])  # the score is for panels only


def test_augmentation_of_detections(detection):
    metrics(detection, 'views', '--tta', '--out', 'views.pkl', '--show-dir', 'view-panels')
    found = [x['pred_instances'] for x in predictions(detection / 'views.pkl')]
    assert all(len(x['bboxes']) for x in found) and len(list((detection / 'view-panels').iterdir())) == 2
    for x in found:  # of 64 x 48 px
        assert x['bboxes'].min() >= -0.5 and x['bboxes'][:, 2].max() <= 64.5 and x['bboxes'][:, 3].max() <= 48.5


def infer(folder: Path, out: str, *args: object) -> list[dict]:
    cv2.imwrite(str(folder / 'lr.png'), np.random.default_rng(0).integers(0, 256, (12, 16, 3)).astype(np.uint8))
    args = ('tiny.py', 'lr.png', '--weights', 'net.pth', '--device', 'cpu', '--out-dir', out, *args)
    assert run_tool('infer', *args, cwd=folder) == 0
    return json.loads((folder / out / 'preds/lr.json').read_text())['pred_instances']


def test_inference(detection):
    whole = infer(detection, 'all')
    label, limit = whole['labels'][0], sorted(whole['scores'])[len(whole['scores']) // 2]
    some = infer(detection, 'some', '--classes', label, '--score-thr', limit)
    kept = [i for i, score in enumerate(whole['scores']) if score >= limit and whole['labels'][i] == label]
    assert kept and some['bboxes'] == [whole['bboxes'][i] for i in kept]
    pictures = [cv2.imread(str(detection / name / 'vis/lr.png')) for name in ('all', 'some')]
    assert limit < 0.3 and not np.array_equal(*pictures)  # drawn, though mmdet's limit is 0.3


def test_another_test_is_not_taken_for_that_of_the_training(segmentation):
    metrics(segmentation, 'again', '--classes', 1)
    assert Config.fromfile(segmentation / 'again/tiny.py').predict == dict(classes=['1'])


def test_options_of_the_config(detection):
    text = (detection / 'tiny.py').read_text()
    (detection / 'tiny.py').write_text(f'{text}\npredict = dict(score_thr=0.99)\n')
    assert infer(detection, 'config')['bboxes'] == [] and infer(detection, 'line', '--score-thr', 0)['bboxes']
    (detection / 'tiny.py').write_text(text)


def test_mistakes(detection, segmentation, fails, tmp_path):
    for name in ('tiny.py', 'net.pth', 'voc'):
        (tmp_path / name).symlink_to(detection / name)
    run = ('test', 'tiny.py', 'net.pth')
    assert '--per-image has the results of all classes' in fails(*run, '--classes', 'dog', '--per-image', 'a.npz')
    assert fails(*run, '--score-thr', 0.5).startswith('--score-thr chooses the objects in panels')
    assert "Unknown class 'dogg' (nearest: 'dog')" in fails(*run, '--classes', 'dogg')
    (tmp_path / 'tiny.py').unlink()
    (tmp_path / 'tiny.py').symlink_to(segmentation / 'tiny.py')
    assert 'networks of mmseg predict none' in fails(*run, '--score-thr', 0.5, '--show-dir', 'panels')
