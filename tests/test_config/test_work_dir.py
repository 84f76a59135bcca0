"""What is read from work dirs; tests of the config are in test_loading.py."""

import json
import os
from pathlib import Path

import torch
from helpers.logs import save as save_of

from sr4ir_mm.config import last_checkpoint, read_metrics
from sr4ir_mm.config.work_dir import folder_for_test, holds_training, is_work_dir


def save(folder: Path, *names: str) -> None:
    for name in names:
        torch.save(dict(state_dict={}), folder / name)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def test_the_checkpoint_that_mmengine_names(tmp_path):
    """The work dir was used for 9 epochs, moved, and used again for 2 epochs."""
    save(tmp_path, 'epoch_1.pth', 'epoch_2.pth', 'epoch_9.pth')
    (tmp_path / 'last_checkpoint').write_text('/moved/from/epoch_2.pth')
    assert last_checkpoint(tmp_path) == tmp_path / 'epoch_2.pth'


def test_the_highest_complete_checkpoint_if_the_named_one_is_cut_off(tmp_path):
    save(tmp_path, 'epoch_2.pth', 'epoch_10.pth', 'epoch_11.pth')
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_11.pth'))
    assert last_checkpoint(tmp_path) == tmp_path / 'epoch_11.pth'
    cut(tmp_path / 'epoch_11.pth')
    assert last_checkpoint(tmp_path) == tmp_path / 'epoch_10.pth'
    (tmp_path / 'last_checkpoint').write_text('')
    assert last_checkpoint(tmp_path) == tmp_path / 'epoch_10.pth'
    cut(tmp_path / 'epoch_10.pth')
    cut(tmp_path / 'epoch_2.pth')
    assert last_checkpoint(tmp_path) is None


def test_the_latest_metrics_of_a_folder(tmp_path):
    """By the time in the name: copying changes the times of files."""
    assert read_metrics(tmp_path) is None
    for age, (day, where) in enumerate({2: '.', 1: 'test', 3: 'test'}.items()):
        stamp = f'2026010{day}_000000'
        path = tmp_path / where / stamp / f'{stamp}.json'
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(dict(mIoU=age)) + '\n')
        os.utime(path, (10**9 - age,) * 2)
    for name in ('20260102_000000/other.json', 'test/user/user.json'):  # not written by a test
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('{}')
    assert read_metrics(tmp_path) == read_metrics(tmp_path / 'test') == dict(mIoU=2)


def test_names_with_more_than_a_number(tmp_path):
    """Published and averaged checkpoints, and the best one, come after those of the training itself."""
    save(tmp_path, 'epoch_20-1a2b3c4d.pth', 'epoch_9_ema.pth', 'epoch_x.pth', 'iter_7 (copy).pth')
    assert last_checkpoint(tmp_path) == tmp_path / 'epoch_20-1a2b3c4d.pth'
    save(tmp_path, 'best_mIoU_epoch_3.pth', 'best_mIoU_epoch_12.pth')
    assert last_checkpoint(tmp_path) == tmp_path / 'best_mIoU_epoch_12.pth'
    save(tmp_path, 'epoch_2.pth')
    assert last_checkpoint(tmp_path) == tmp_path / 'epoch_2.pth'


def test_without_the_name_of_the_last_one(tmp_path):
    """The highest number of the latest training, not of all."""
    save_of(tmp_path, 'epoch_9.pth', '20260101_000000')
    save_of(tmp_path, 'epoch_2.pth', '20260102_000000')
    save_of(tmp_path, 'epoch_10.pth', '20260101_000000')
    save_of(tmp_path, 'best_mIoU_epoch_11.pth', '20260103_000000')
    assert last_checkpoint(tmp_path) == tmp_path / 'epoch_2.pth'
    for named in ('epoch_1.pth', '/moved/epoch_7.pth\n', '', '..', '\x00'):
        (tmp_path / 'last_checkpoint').write_text(named)
        assert last_checkpoint(tmp_path) == tmp_path / 'epoch_2.pth'


def test_a_test_writes_beside_a_training(tmp_path):
    assert folder_for_test(tmp_path, is_chosen=True) == tmp_path
    assert folder_for_test(tmp_path, is_chosen=False) == tmp_path / 'test'
    save(tmp_path, 'epoch_1.pth')
    assert folder_for_test(tmp_path, is_chosen=True) == tmp_path / 'test'
    assert holds_training(tmp_path) and not is_work_dir(tmp_path)
    (tmp_path / '20260101_000000/vis_data').mkdir(parents=True)
    assert is_work_dir(tmp_path)
