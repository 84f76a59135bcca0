"""What the installed wheel does outside of the checkout, by itself and through mim."""

import importlib.util
import sys
from pathlib import Path

import pytest
from helpers.wheels import build, copy_checkout, install, run

CONFIG = 'fcn-tiny_edsr-tiny_x4_demo'
PROJECT = f"""_base_ = ['sr4ir_mm::demo/{CONFIG}.py']
data_root = 'data'
train_cfg = dict(max_epochs=1, val_interval=1)
train_dataloader = dict(batch_size=2, num_workers=0, persistent_workers=False, dataset=dict(data_root=data_root))
val_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(data_root=data_root))
test_dataloader = val_dataloader
"""
pytestmark = pytest.mark.slow
with_mim = pytest.mark.skipif(importlib.util.find_spec('mim') is None, reason='mim is not installed')


@pytest.fixture(scope='module')
def site(tmp_path_factory) -> Path:
    """The folder that the wheel is installed into."""
    folder = tmp_path_factory.mktemp('wheel')
    wheel = build('build_wheel', copy_checkout(folder / 'checkout'), folder / 'built')
    return install(wheel, folder / 'site')


@pytest.fixture(scope='module')
def project(site, tmp_path_factory) -> Path:
    """Another project: a config of its own, which inherits from one of ours, and data."""
    folder = tmp_path_factory.mktemp('project')
    (folder / 'mine.py').write_text(PROJECT)
    run(sys.executable, '-m', 'sr4ir_mm', 'make_demo_data', 'data', '--train', 4, '--val', 2, cwd=folder, path=site)
    return folder


@pytest.fixture(scope='module')
def trained(site, project) -> Path:
    """A work dir, after two iterations."""
    run(sys.executable, '-m', 'sr4ir_mm', 'train', 'mine.py', '--work-dir', 'run', cwd=project, path=site)
    return project / 'run'


def test_it_is_the_wheel_that_runs(site, project):
    code = 'import sr4ir_mm, sr4ir_mm.doctor as doctor; print(sr4ir_mm.__file__, *doctor.tested_ranges())'
    file, *ranges = run(sys.executable, '-c', code, cwd=project, path=site).split()
    assert Path(file).parent == site / 'sr4ir_mm'
    assert {'torch', 'mmengine'} <= set(ranges), 'from the metadata'


def test_train_and_infer(site, project, trained):
    assert (trained / 'epoch_1.pth').is_file()
    image = 'data/JPEGImages/val_0000.jpg'
    run(sys.executable, '-m', 'sr4ir_mm', 'infer', 'run', image, '--out-dir', 'out', cwd=project, path=site)
    assert (project / 'out' / 'sr' / 'val_0000.png').is_file()


def test_the_command_lists_the_tools_and_runs_them(site, project):
    command = (sys.executable, site / 'bin' / 'sr4ir')
    assert 'train' in run(*command, cwd=project, path=site)
    assert run(*command, 'train', '--help', cwd=project, path=site).startswith('usage: sr4ir train')


def test_mim_folder_is_the_first_file_of_the_installation(site):
    """onedl-mim takes the folder of the first file for the package; the command's '../../bin' would win otherwise."""
    (record,) = site.glob('sr4ir_mm-*.dist-info/RECORD')
    lines = record.read_text().splitlines()
    assert any('bin/sr4ir,' in line for line in lines)
    assert (site / lines[0].partition('/')[0] / '.mim' / 'tools' / 'train.py').is_file()


@with_mim
def test_mim_trains_and_tests_by_the_name_of_a_config(site, project):
    options = ('data_root=data', 'train_cfg.max_epochs=1', 'train_dataloader.batch_size=2')
    mim = (sys.executable, '-m', 'mim')
    train = (*mim, 'train', 'sr4ir_mm', f'{CONFIG}.py', '--work-dir', 'mim', '--cfg-options', *options)
    assert 'Training finished successfully' in run(*train, cwd=project, path=site)
    test = (*mim, 'test', 'sr4ir_mm', 'mine.py', '--checkpoint', 'mim/epoch_1.pth')
    assert 'Testing finished successfully' in run(*test, cwd=project, path=site)


@with_mim
def test_mim_finds_configs(site, project):
    search = (sys.executable, '-m', 'mim', 'search', 'sr4ir_mm')
    found = run(*search, '--condition', 'epochs==28', '--field', 'scheme', 'scale', cwd=project, path=site)
    assert found.count('config id:') == 1 and f'config id: {CONFIG}' in found
