"""A run knows its own config, and no command overwrites what a training has written."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from helpers.zoo import make_voc, run_tool, tiny_config
from mmengine.config import Config

#: a bare task network: the config of a zoo's library, as a file
BARE = 'mmseg::deeplabv3plus/deeplabv3plus_r18-d8_4xb2-80k_cityscapes-512x1024.py'


@pytest.fixture(scope='module')
def trained(tmp_path_factory) -> Path:
    """Folder with a work dir of one epoch."""
    folder = tmp_path_factory.mktemp('apart')
    make_voc(folder / 'voc')
    tiny_config(folder)
    assert run_tool('train', 'tiny.py', '--work-dir', 'w', '--cfg-options', 'train_cfg.max_epochs=1', cwd=folder) == 0
    return folder


@pytest.fixture
def folder(trained, tmp_path) -> Path:
    """A copy, for one test."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    return tmp_path


def metrics(folder: Path) -> dict:
    (log,) = folder.glob('*/*.json')
    return json.loads(log.read_text())


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob('*') if path.is_file()}


def names(tag: str) -> list[str]:
    """Options without which MMEngine's global objects of an earlier run in this process would be used."""
    return ['--cfg-options', f'experiment_name={tag}', f'visualizer.name={tag}']


@pytest.mark.parametrize(
    'args',
    [['w'], ['w/epoch_1.pth'], ['tiny.py', 'w/epoch_1.pth', '--work-dir', 'w'], ['w', 'w/best_mIoU_epoch_1.pth']],
)
def test_a_test_leaves_the_training_as_it_is(args, folder):
    before = files(folder / 'w')
    assert run_tool('test', *args, *names(folder.name), cwd=folder) == 0
    after = files(folder / 'w')
    assert {name: after[name] for name in before} == before
    assert all(name.startswith('test/') for name in set(after) - set(before))
    assert {'mIoU', 'sr/PSNR'} <= set(metrics(folder / 'w/test'))


def test_a_checkpoint_somewhere_else(folder):
    (folder / 'mine').mkdir()
    shutil.copy(folder / 'w/epoch_1.pth', folder / 'mine/a.pth')
    shutil.rmtree(folder / 'w')
    assert run_tool('test', 'mine/a.pth', *names(folder.name), cwd=folder) == 0
    assert list((folder / 'work_dirs').glob('*/test/*/*.json'))
    assert [path.name for path in (folder / 'mine').iterdir()] == ['a.pth']


def test_a_config_of_a_bare_task_network(folder, fails):
    before = files(folder / 'w')
    (folder / 'bare.py').write_text(f'_base_ = {BARE!r}\n')
    for config in ('bare.py', BARE):
        message = fails('test', config, 'w/epoch_1.pth', '--work-dir', 'w')
        assert 'has no super-resolution network' in message and ': python tools/test.py w/epoch_1.pth' in message
    assert files(folder / 'w') == before


def test_a_checkpoint_of_a_bare_task_network(folder, fails):
    state = torch.load(folder / 'w/epoch_1.pth')['state_dict']
    state = {key.removeprefix('task.'): value for key, value in state.items() if key.startswith('task.')}
    meta = dict(cfg=Config(dict(model=dict(type='EncoderDecoder'))).pretty_text)
    torch.save(dict(state_dict=state, meta=meta), folder / 'bare.pth')
    assert 'holds a task network alone' in fails('test', 'tiny.py', 'bare.pth', *names(folder.name))
    assert 'test it with the tools of its own library' in fails('test', 'bare.pth')


def test_config_without_weights(folder, fails):
    assert 'is a config, without weights' in fails('test', 'tiny.py')
    assert 'is a config, without weights' in fails('infer', 'tiny.py', 'voc/JPEGImages')
    assert 'is a config, without weights' in fails('export', 'tiny.py', 'a.onnx')


def test_options_between_the_arguments(folder):
    args = ['tiny.py', '--out', 'a.pkl', 'w/epoch_1.pth', *names(folder.name)]
    assert run_tool('test', *args, cwd=folder) == 0 and (folder / 'a.pkl').exists()


def test_a_second_training_is_refused(folder, fails):
    before = files(folder / 'w')
    message = fails('train', 'tiny.py', '--work-dir', 'w', '--scheme', 'l2t')
    assert message.startswith("'w' holds a training, which this one would overwrite: continue it with --resume")
    assert files(folder / 'w') == before


def test_a_resumed_training_that_fails_leaves_the_config(folder, fails):
    before = files(folder / 'w')
    wider = [*names(folder.name), 'train_cfg.max_epochs=2', 'model.sr.net.mid_channels=16']
    message = fails('train', 'tiny.py', '--work-dir', 'w', '--resume', *wider)
    assert message.startswith("'w/epoch_1.pth' is of another super-resolution network: model.sr.net.mid_channels is 16")
    message = fails('train', 'tiny.py', '--work-dir', 'w', '--resume', '--allow-changes', *wider)
    assert message.startswith(
        "'w/epoch_1.pth' does not fit the config: it has other shapes sr.residual.conv_first.weight"
    )
    after = files(folder / 'w')
    assert {name: after[name] for name in before} == before


def test_the_test_of_a_resumed_training(folder):
    """Its config says that it was resumed, which is not to happen in a test."""
    tags = names(folder.name)
    assert run_tool('train', 'tiny.py', '--work-dir', 'w', '--resume', *tags, 'train_cfg.max_epochs=2', cwd=folder) == 0
    assert Config.fromfile(folder / 'w/tiny.py').resume is True
    shutil.rmtree(folder / 'w/test', ignore_errors=True)
    assert run_tool('test', 'w', *names(f'{folder.name}_test'), cwd=folder) == 0
    assert 'mIoU' in metrics(folder / 'w/test')


def test_a_resumed_training_that_fails_in_an_iteration(folder, fails):
    before = (folder / 'w/tiny.py').read_bytes()
    (folder / 'voc/JPEGImages/2.jpg').write_bytes(b'no image')
    options = [*names(folder.name), 'train_cfg.max_epochs=2']
    assert 'cannot be decoded' in fails('train', 'tiny.py', '--work-dir', 'w', '--resume', *options)
    assert (folder / 'w/tiny.py').read_bytes() == before


def test_load_from_of_another_net(folder, fails):
    options = [*names(folder.name), 'load_from=w/epoch_1.pth', 'model.task.decode_head.channels=64']
    message = fails('train', 'tiny.py', '--work-dir', 'new', *options)
    assert 'it has other shapes task.decode_head.' in message
    asked = message.rpartition('--cfg-options ')[2]
    assert asked.startswith('model.may_differ=task.decode_head.')
    assert not list((folder / 'new').rglob('*.pth'))
    assert "'no.pth' not found" in fails('train', 'tiny.py', '--work-dir', 'new', '--cfg-options', 'load_from=no.pth')
    options = [*options, 'train_cfg.max_epochs=1', 'model.may_differ=task.decode_head']
    assert run_tool('train', 'tiny.py', '--work-dir', 'new', *options, cwd=folder) == 0
    (log,) = (path for path in (folder / 'new').glob('*/*.log') if 'Epoch(train)' in path.read_text())
    line = "'w/epoch_1.pth': not loaded, as model.may_differ says: it has other shapes task.decode_head."
    assert log.read_text().count(line) == 1
