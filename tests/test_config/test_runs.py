"""The reader of work dirs: each file is of the training, or it is refused."""

import os
from pathlib import Path

import pytest
from helpers.logs import save, train, write_scalars, write_test

from sr4ir_mm.config import find_weights, load_config, run_config
from sr4ir_mm.config.runs import run_logs, run_test
from sr4ir_mm.errors import SR4IRError

A, B, C = '20260101_000000', '20260102_000000', '20260103_000000'
CONFIG = 'epochs = 2\nmodel = dict(scale=4)\n'


@pytest.fixture
def work_dir(tmp_path) -> Path:
    """A training of two epochs."""
    write_scalars(tmp_path / 'w', A, train(5, 15), config=CONFIG)
    save(tmp_path / 'w', 'epoch_2.pth', A, CONFIG)
    (tmp_path / 'w/net.py').write_text(CONFIG)
    return tmp_path / 'w'


def test_a_good_run(work_dir):
    assert find_weights(work_dir) == str(work_dir / 'epoch_2.pth')
    assert run_config(work_dir) == work_dir / 'net.py'
    assert run_logs(work_dir) == [work_dir / A / 'vis_data/scalars.json']
    assert run_test(work_dir) is None


def test_weights_of_a_run(tmp_path):
    with pytest.raises(SR4IRError, match='has no complete checkpoint'):
        find_weights(tmp_path)
    save(tmp_path, 'epoch_2.pth')
    save(tmp_path, 'epoch_3.pth')
    assert find_weights(tmp_path) == str(tmp_path / 'epoch_3.pth')
    one = str(tmp_path / 'epoch_2.pth')
    assert find_weights(tmp_path, one) == find_weights(one) == find_weights('config.py', one) == one
    with pytest.raises(SR4IRError, match=r"'config\.py' is a config, without weights: name a checkpoint after it"):
        find_weights('config.py')
    with pytest.raises(SR4IRError, match=r"'no\.pth' not found"):
        find_weights('no.pth')


@pytest.mark.parametrize('named', [True, False])
def test_a_second_training_with_fewer_epochs(work_dir, named):
    """Not the file with the higher number, not the newest config, whatever the file system's times are."""
    write_scalars(work_dir, B, train(4), config=CONFIG.replace('2', '1'))
    save(work_dir, 'epoch_1.pth', B, CONFIG.replace('2', '1'))
    (work_dir / 'again.py').write_text(CONFIG.replace('2', '1'))
    if named:
        (work_dir / 'last_checkpoint').write_text('/elsewhere/w/epoch_1.pth')
    for name in ('again.py', 'epoch_1.pth'):
        os.utime(work_dir / name, (0, 0))
    assert find_weights(work_dir) == str(work_dir / 'epoch_1.pth')
    assert run_config(work_dir) == work_dir / 'again.py'
    assert load_config(work_dir).epochs == 1
    assert run_logs(work_dir) == [work_dir / B / 'vis_data/scalars.json']
    with pytest.raises(SR4IRError, match=rf"epoch_2\.pth' is of another training \({A}\) than the config in"):
        find_weights(work_dir, str(work_dir / 'epoch_2.pth'))
    assert load_config(work_dir / 'epoch_2.pth').epochs == 2


def test_weights_from_elsewhere(work_dir, tmp_path):
    path = str(save(tmp_path, 'other.pth', C))
    assert find_weights(work_dir, path) == path


def test_another_training_without_a_checkpoint_yet(work_dir):
    write_scalars(work_dir, B, train(4))
    for read in (find_weights, run_config, run_logs, run_test, load_config):
        with pytest.raises(SR4IRError, match='has files of several trainings'):
            read(work_dir)


def test_a_config_that_was_changed(work_dir):
    text = f'# a comment\nmodel = {{"scale": 4}}\nwork_dir = "moved"\nresume = True\n{CONFIG.splitlines()[0]}\n'
    (work_dir / 'net.py').write_text(text)
    assert run_config(work_dir) == work_dir / 'net.py'  # the same entries
    for changed in (text.replace('4', '8'), text + 'extra = 1', '_base_ = "other.py"', 'import os', 'a ='):
        (work_dir / 'net.py').write_text(changed)
        with pytest.raises(SR4IRError, match=r"net\.py, which is not the config .* Name '.*epoch_2\.pth', which holds"):
            load_config(work_dir)
    (work_dir / 'net.py').write_bytes('größe = 1'.encode('latin-1'))
    with pytest.raises(SR4IRError, match='which is not the config of the training there'):
        run_config(work_dir)
    (work_dir / 'net.py').unlink()
    assert load_config(work_dir).model.scale == 4


def test_a_training_that_has_just_begun(work_dir):
    """Its logs have the config."""
    (work_dir / 'epoch_2.pth').unlink()
    assert run_config(work_dir) == work_dir / 'net.py'
    (work_dir / 'an_earlier_start.py').write_text('epochs = 1')
    assert run_config(work_dir) == work_dir / 'net.py'
    (work_dir / 'net.py').write_text('epochs = 3')
    with pytest.raises(SR4IRError, match=rf"Name '.*{A}/vis_data/config\.py', which holds that config"):
        run_config(work_dir)


def test_the_latest_test_of_the_training(work_dir):
    write_test(work_dir / 'test', B, A, CONFIG, mIoU=1.0)
    write_test(work_dir, C, A, CONFIG.replace('4', '8'), **{'test/mIoU': 2.0})
    os.utime(work_dir / C / f'{C}.json', (0, 0))
    found = run_test(work_dir)
    assert (found.metrics, found.checkpoint, found.time) == (dict(mIoU=2.0), 'w/epoch_2.pth', C)
    assert found.changed == ['model']


def test_a_test_of_another_training(work_dir):
    """Of weights from elsewhere, and of a training whose checkpoints were deleted."""
    write_test(work_dir / 'test', C, '20250101_000000', CONFIG, mIoU=1.0)
    assert run_test(work_dir) is None
    write_test(work_dir / 'test', B, A, CONFIG, mIoU=2.0)
    assert run_test(work_dir).metrics == dict(mIoU=2.0) and run_test(work_dir).changed == []


def test_other_files_of_the_user(work_dir):
    (work_dir / 'coco').mkdir()
    (work_dir / 'coco/coco.json').write_text('[{"score": 0.5}]')
    assert run_test(work_dir) is None


def test_a_test_that_does_not_say_of_what(work_dir):
    path = write_test(work_dir / 'test', C, None, mIoU=1.0)
    with pytest.raises(SR4IRError, match=f"'{path}' does not say which checkpoint was tested: delete it"):
        run_test(work_dir)
