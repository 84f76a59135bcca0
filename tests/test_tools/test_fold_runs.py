"""The run of a fold with the tools: trained, tested, reported, used on images, and resumed only as the same fold."""

import json
from pathlib import Path

import numpy as np
import pytest
from helpers.zoo import make_voc, run_tool, tiny_config

from sr4ir_mm.analysis.image_scores import score
from sr4ir_mm.analysis.image_tables import read_table
from sr4ir_mm.config import read_metrics, stored_config

RUN = Path('work_dirs/tiny-fold1of2')


@pytest.fixture(scope='module')
def folder(tmp_path_factory) -> Path:
    """Folder of a training with the first of two folds of four images."""
    folder = tmp_path_factory.mktemp('folds')
    make_voc(folder / 'voc')
    for split, names in (('train', '0\n1\n2'), ('val', '3')):
        (folder / f'voc/ImageSets/Segmentation/{split}.txt').write_text(names)
    tiny_config(folder)
    options = ('fold=1/2', 'train_cfg.max_epochs=1', 'train_dataloader.batch_size=1')
    assert run_tool('train', 'tiny.py', '--cfg-options', *options, cwd=folder) == 0
    return folder


def test_the_work_dir_holds_the_fold(folder):
    cfg = stored_config(folder / RUN / 'epoch_1.pth')
    assert cfg.train_dataloader.dataset.fold == 1 and 'fold' not in cfg
    lines = next((folder / RUN).glob('*/vis_data/scalars.json')).read_text().splitlines()
    assert {'sr.loss_pix', 'task.sr.loss'} <= set(json.loads(lines[0])) and 'mIoU' in json.loads(lines[-1])


def test_a_test_of_the_work_dir_is_one_of_the_fold(folder):
    tags = ('experiment_name=tested', 'visualizer.name=tested')  # MMEngine's global objects of the training are there
    assert run_tool('test', RUN, '--per-image', 'images.npz', '--cfg-options', *tags, cwd=folder) == 0
    table, metrics = read_table(folder / 'images.npz'), read_metrics(folder / RUN / 'test')
    iterations = len(next((folder / RUN).glob('*/vis_data/scalars.json')).read_text().splitlines()) - 1
    assert len(table.images) + iterations == 4 and len(table.classes) == 21
    (value,) = score(table, 'mIoU', np.ones((1, len(table.images)), int))
    assert value == pytest.approx(metrics['mIoU'], abs=0.006)


def test_it_can_be_used_and_reported(folder):
    assert run_tool('infer', RUN, 'voc/JPEGImages/0.jpg', '--out-dir', 'out', cwd=folder) == 0
    assert list((folder / 'out').rglob('*.png'))
    assert run_tool('analysis_tools/report', RUN, '--out', 'report.html', cwd=folder) == 0


def test_another_fold_is_another_training(folder, capfd):
    args = ('--resume', '--work-dir', RUN, '--cfg-options', 'fold=2/2')
    assert run_tool('train', 'tiny.py', *args, cwd=folder) == 2
    assert 'is of other training data: train_dataloader.dataset.fold is 2, and was 1' in capfd.readouterr().err
