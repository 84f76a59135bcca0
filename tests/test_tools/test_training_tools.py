"""What a user sees of a training before it runs: browse_dataset, print_config and vis_scheduler."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.zoo import make_voc, run_tool, tiny_config
from mmengine.config import Config

from sr4ir_mm.config import load_config, mix

ZOO = 'mmdet::retinanet/retinanet_r18_fpn_1x_coco.py'


@pytest.fixture
def folder(tmp_path) -> Path:
    make_voc(tmp_path / 'voc')
    tiny_config(tmp_path)
    return tmp_path


def pictures(folder: Path) -> dict[str, np.ndarray]:
    return {path.stem: cv2.imread(str(path)) for path in sorted(folder.iterdir())}


def browse(folder: Path, out: str, *args: object) -> dict[str, np.ndarray]:
    assert run_tool('analysis_tools/browse_dataset', 'tiny.py', '--out-dir', out, *args, cwd=folder) == 0
    return pictures(folder / out)


def test_browse(folder, capsys):
    options = ('--cfg-options', 'model.degradation.type=sr4ir_mm.BicubicDegradation', 'model.degradation.scale=4')
    found = browse(folder, 'one', '--number', 3)
    assert '3 pictures: one' in capsys.readouterr().out and len(found) == 3
    again, other = browse(folder, 'two', '--number', 3), browse(folder, 'three', '--number', 3, '--seed', 1)
    assert found.keys() == again.keys() and all(np.array_equal(found[name], again[name]) for name in found)
    assert found.keys() != other.keys() or any(not np.array_equal(found[name], other[name]) for name in found)
    assert len(browse(folder, 'all', *options)) == 4  # the data set has no more
    assert not (folder / 'work_dirs').exists()


def test_browse_a_baseline_without_a_mix(folder):
    whole, less = (browse(folder, name, '--number', 1, *args) for name, *args in (('a',), ('b', '--scheme', 'l2t')))
    assert next(iter(whole.values())).shape == next(iter(less.values())).shape
    (last,) = less.values()
    assert (last[-100:, -200:] == 255).all()  # where the mix is


@pytest.mark.parametrize('args', [('tiny.py',), ('tiny.py', '--scheme', 's2t'), (ZOO, '--sr', 'edsr', '--scale', 2)])
def test_the_printed_config_is_that_of_the_training(args, folder, capsys):
    assert run_tool('analysis_tools/print_config', *args, '--cfg-options', 'train_cfg.max_epochs=3', cwd=folder) == 0
    (folder / 'printed.py').write_text(capsys.readouterr().out)
    printed = Config.fromfile(folder / 'printed.py')
    assert printed.train_cfg.max_epochs == 3 and '_base_ =' not in (folder / 'printed.py').read_text()
    if args[0] == ZOO:
        expected = mix(ZOO, 'edsr', 2, **{'train_cfg.max_epochs': 3})
        assert printed.to_dict() == Config(expected.to_dict()).to_dict()
    elif args == ('tiny.py',):
        assert printed.to_dict() == load_config(folder / 'tiny.py', {'train_cfg.max_epochs': 3}).to_dict()
    else:
        assert printed.model.scheme == 'S->T' and printed.model.sr.init_cfg.type == 'Pretrained'


def test_learning_rates(folder, capsys):
    assert run_tool('analysis_tools/vis_scheduler', 'tiny.py', '--out', 'x.png', cwd=folder) == 0
    epochs = load_config(folder / 'tiny.py').train_cfg.max_epochs
    assert f'{2 * epochs} iterations, 2 in an epoch: x.png' in capsys.readouterr().out
    assert cv2.imread(str(folder / 'x.png')).shape[0] > 400
    assert not (folder / 'work_dirs').exists()


def test_learning_rates_without_the_data(folder, capfd, fails):
    shutil.rmtree(folder / 'voc')
    assert "'voc' is missing" in fails('analysis_tools/vis_scheduler', 'tiny.py')
    assert run_tool('analysis_tools/vis_scheduler', ZOO, '--sr', 'edsr', '--images', 8, cwd=folder) == 0
    assert '48 iterations, 4 in an epoch: schedule.png' in capfd.readouterr().out


def test_mistakes(folder, fails):
    tool = 'analysis_tools/vis_scheduler'
    assert 'let --out end in .png' in fails(tool, 'tiny.py', '--out', 'x.gif')
    assert 'already has a super-resolution network' in fails(tool, 'tiny.py', '--sr', 'edsr')
    assert 'add --sr edsr --scale 4' in fails('analysis_tools/print_config', ZOO)
