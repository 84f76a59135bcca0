"""What is read from work dirs; tests of the config are in test_loading.py."""

import json
import os
from pathlib import Path

import torch

from sr4ir_mm.config import last_checkpoint, read_metrics


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


def test_the_metrics_of_the_newest_test(tmp_path):
    assert read_metrics(tmp_path) is None
    for age, (stamp, where) in enumerate({'b': '.', 'a': 'test', 'c': '.'}.items()):
        path = tmp_path / where / stamp / f'{stamp}.json'
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(dict(mIoU=age)) + '\n')
        os.utime(path, (10**9 - age,) * 2)
    (tmp_path / 'c/other.json').write_text('{}')  # not written by a test
    assert read_metrics(tmp_path) == dict(mIoU=0)
    os.utime(tmp_path / 'test/a/a.json')
    assert read_metrics(tmp_path) == dict(mIoU=1)
    assert read_metrics(tmp_path / 'test') == dict(mIoU=1)
