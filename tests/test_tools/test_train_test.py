"""tools/train.py and tools/test.py from the command line: train, test with --out and --show-dir, resume."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
import torch
from helpers.zoo import TOOLS, make_voc, run_tool, tiny_config
from mmengine.logging import MMLogger

from sr4ir_mm.compat.fast_types import fast_type


@pytest.fixture(scope='module')
def folder(tmp_path_factory) -> Path:
    """Folder of the runs, with a data set in another place than the config says."""
    folder = tmp_path_factory.mktemp('runs')
    make_voc(folder / 'elsewhere')
    tiny_config(folder, data_root='not/there')
    return folder


@pytest.fixture(scope='module')
def trained(folder) -> subprocess.CompletedProcess:
    """Train as a user does, in a process of its own."""
    env = dict(os.environ, PYTHONPATH=str(TOOLS.parent), OMP_NUM_THREADS='1')
    command = [sys.executable, '-W', 'ignore', TOOLS / 'train.py', 'tiny.py']
    command += ['--cfg-options', 'data_root=elsewhere', 'train_cfg.max_epochs=1']
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.fixture(scope='module')
def tested(folder, trained) -> int:
    args = ('--cfg-options', 'data_root=elsewhere', '--out', 'out.pkl', '--show-dir', 'panels', '--work-dir', 'test')
    return run_tool('test', 'tiny.py', 'work_dirs/tiny/epoch_1.pth', *args, cwd=folder)


def scalars(work_dir: Path) -> list[dict]:
    """The lines of the log of the latest run."""
    path = sorted(work_dir.glob('*/vis_data/scalars.json'))[-1]
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_train(folder, trained):
    assert trained.returncode == 0, trained.stderr
    work_dir = folder / 'work_dirs/tiny'
    state = torch.load(work_dir / 'epoch_1.pth')
    assert state['meta']['iter'] == 2 and set(state['optimizer']) == {'sr', 'task'}
    assert list(work_dir.glob('best_mIoU_epoch_1.pth')) and (work_dir / 'tiny.py').is_file()
    *train, val = scalars(work_dir)
    assert len(train) == 2 and {'sr.loss_pix', 'task.sr.loss', 'task.hr.loss', 'task.mix.loss'} <= set(train[0])
    assert all('sr.loss_tdp' in line for line in train)  # the warm-up is a share of the run
    assert {'mIoU', 'sr/PSNR', 'sr/SSIM'} <= set(val)


def test_test_repeats_the_validation(folder, trained, tested):
    assert tested == 0
    (log,) = (folder / 'test').glob('*/*.json')
    metrics, val = json.loads(log.read_text()), scalars(folder / 'work_dirs/tiny')[-1]
    for name in ('mIoU', 'sr/PSNR', 'sr/SSIM'):
        assert metrics[name] == pytest.approx(val[name])


def test_a_test_without_the_hook_that_logs_shows_its_metrics(folder, trained, capfd):
    options = ('--cfg-options', 'data_root=elsewhere', 'default_hooks.logger=None', '--work-dir', 'unlogged')
    MMLogger._instance_dict.clear()  # one of an earlier test would write to that test's output, which is closed
    assert run_tool('test', 'tiny.py', 'work_dirs/tiny/epoch_1.pth', *options, cwd=folder) == 0
    *_, shown, end = capfd.readouterr().out.splitlines()
    value = scalars(folder / 'work_dirs/tiny')[-1]['mIoU']
    assert f'mIoU {value:.4f}' in shown and 'sr/PSNR' in shown and ' Log: unlogged' in end


def test_a_machine_for_mixed_precision_is_told_of_it(trained):
    assert ('with --amp' in trained.stdout + trained.stderr) == bool(fast_type())


def test_test_in_mixed_precision(folder, trained, tested):
    args = ('--cfg-options', 'data_root=elsewhere', '--amp', '--work-dir', 'amp')
    assert run_tool('test', 'tiny.py', 'work_dirs/tiny/epoch_1.pth', *args, cwd=folder) == 0
    logs = [json.loads(next((folder / name).glob('*/*.json')).read_text()) for name in ('test', 'amp')]
    full, mixed = (log['sr/PSNR'] for log in logs)
    assert full != mixed and mixed == pytest.approx(full, abs=0.1)


def test_out_holds_predictions_but_no_images(folder, tested):
    with open(folder / 'out.pkl', 'rb') as file:
        predictions = pickle.load(file)
    assert [Path(p['img_path']).name for p in predictions] == [f'{i}.jpg' for i in range(4)]
    assert all(p['pred_sem_seg']['data'].shape == (1, 64, 64) for p in predictions)
    assert not any({'lr', 'sr', 'hr'} & set(p) for p in predictions)


def test_show_dir_holds_a_panel_of_each_image(folder, tested):
    panels = sorted((folder / 'panels').iterdir())
    assert [path.name for path in panels] == [f'{i}.png' for i in range(4)]
    height, width = cv2.imread(str(panels[0])).shape[:2]
    assert width == 1220 and height >= 648  # four square pictures above four, then windows


def test_resume_goes_on_where_training_ended(folder, trained):
    first = (folder / 'work_dirs/tiny/epoch_1.pth').stat().st_mtime
    options = ('data_root=elsewhere', 'train_cfg.max_epochs=2', 'experiment_name=resumed', 'visualizer.name=resumed')
    assert run_tool('train', 'tiny.py', '--resume', '--cfg-options', *options, cwd=folder) == 0
    work_dir = folder / 'work_dirs/tiny'
    assert torch.load(work_dir / 'epoch_2.pth')['meta']['iter'] == 4
    assert (work_dir / 'epoch_1.pth').stat().st_mtime == first  # not written again
    *train, _ = scalars(work_dir)
    assert [line['iter'] for line in train] == [3, 4] and all('sr.loss_tdp' in line for line in train)
