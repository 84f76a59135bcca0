"""The starts of a training in a work dir, told from those of other trainings."""

from pathlib import Path

import pytest
import torch
from helpers.logs import save, train, write_scalars
from mmengine.config import Config

from sr4ir_mm.config.claims import set_resume
from sr4ir_mm.config.starts import training_starts
from sr4ir_mm.errors import SR4IRError

A, B, C = '20260101_000000', '20260102_000000', '20260103_000000'


def start(folder: Path, stamp: str, *iters: int, resume: str = '') -> None:
    write_scalars(folder, stamp, train(*iters), resume=resume)


def test_resumed_and_moved(tmp_path):
    work_dir = tmp_path / 'w'
    start(work_dir, A, 5)
    save(work_dir, 'epoch_1.pth', A)
    start(work_dir, B, 15, resume='epoch_1.pth')
    assert training_starts(work_dir) == [A, B]
    save(work_dir, 'epoch_2.pth', B)
    (work_dir / 'epoch_1.pth').unlink()  # as with max_keep_ckpts
    moved = work_dir.rename(tmp_path / 'moved')
    assert training_starts(moved) == [A, B]
    assert training_starts(tmp_path / 'nothing') == ['']


def test_a_start_that_left_no_checkpoint(tmp_path):
    start(tmp_path, A, 5)
    start(tmp_path, B, 4)
    assert training_starts(tmp_path) == [B]
    save(tmp_path, 'epoch_1.pth', B)
    assert training_starts(tmp_path) == [B]


def test_resumed_from_another_folder_after_a_start_that_failed(tmp_path):
    work_dir = tmp_path / 'w'
    start(work_dir, A, 5)
    start(work_dir, B, 15, resume='../other/epoch_1.pth')
    assert training_starts(work_dir) == [B]


def test_back_to_an_earlier_checkpoint_and_forth_again(tmp_path):
    """C goes on from a checkpoint of A: B has no part in it."""
    start(tmp_path, A, 5, 15, 25)
    for epoch in (1, 2, 3):
        save(tmp_path, f'epoch_{epoch}.pth', A)
    start(tmp_path, B, 15, resume='epoch_1.pth')
    assert training_starts(tmp_path) == [A, B]
    save(tmp_path, 'epoch_2.pth', B)
    start(tmp_path, C, 35, resume='epoch_3.pth')
    save(tmp_path, 'epoch_4.pth', C)
    assert training_starts(tmp_path) == [A, C]


def test_the_logs_of_another_training(tmp_path):
    """A finished; then B began, with a tool that does not refuse it, and has no checkpoint yet."""
    start(tmp_path, A, 5)
    save(tmp_path, 'epoch_9.pth', A)
    start(tmp_path, B, 5)
    with pytest.raises(SR4IRError, match=f"of several trainings: 'epoch_9.pth' is of {A}, the latest logs are of {B}"):
        training_starts(tmp_path)
    save(tmp_path, 'epoch_1.pth', B)
    assert training_starts(tmp_path) == [B]


@pytest.mark.parametrize('stamp', [C, ''])
def test_a_checkpoint_of_an_unknown_training(stamp, tmp_path):
    start(tmp_path, A, 5)
    save(tmp_path, 'epoch_1.pth', stamp)
    if stamp:
        with pytest.raises(SR4IRError, match=f'is of {C}, the latest logs are of {A}'):
            training_starts(tmp_path)
    else:  # one training alone
        assert training_starts(tmp_path) == [A]
        start(tmp_path, B, 5)
        with pytest.raises(SR4IRError, match=r"'epoch_1\.pth' is of an unknown one"):
            training_starts(tmp_path)


def test_a_checkpoint_before_the_first_log_and_one_whose_logs_are_gone(tmp_path):
    start(tmp_path, A, 5)
    start(tmp_path, B, 5)
    (tmp_path / B / 'vis_data/scalars.json').unlink()
    save(tmp_path, 'iter_1.pth', B)
    assert training_starts(tmp_path) == [B]
    save(tmp_path / A, 'iter_1.pth', B)
    assert training_starts(tmp_path / A) == [B]


def test_logs_without_a_config(tmp_path):
    start(tmp_path, A, 5)
    start(tmp_path, B, 6)
    (tmp_path / A / 'vis_data/config.py').unlink()
    assert training_starts(tmp_path) == [B]
    (tmp_path / B / 'vis_data/config.py').unlink()
    with pytest.raises(SR4IRError, match=f'is missing, so that it is unknown .* resumed that of {A}'):
        training_starts(tmp_path)


def test_a_resumed_start_says_that_its_own_folder_is_resumed(tmp_path, monkeypatch):
    """However the checkpoint is named."""
    monkeypatch.chdir(tmp_path)
    Path('w').mkdir()
    state = dict(meta=dict(epoch=1, iter=2), optimizer={}, message_hub={}, state_dict=dict(a=torch.ones(1)))
    torch.save(state, 'w/epoch_1.pth')
    for name in ('auto', 'w/epoch_1.pth', './w/../w/epoch_1.pth', str(tmp_path / 'w/epoch_1.pth')):
        cfg = Config(dict(work_dir='w'))
        set_resume(cfg, name)
        assert cfg.load_from == 'w/epoch_1.pth'


@pytest.mark.parametrize('text', ['resume = Tr', "resume = True\nload_from = 'work"])
def test_a_config_of_the_logs_that_was_cut(text, tmp_path):
    start(tmp_path, A, 5)
    (tmp_path / A / 'vis_data/config.py').write_text(text)
    with pytest.raises(SR4IRError, match=rf"{A}/vis_data/config\.py' is damaged \({text.splitlines()[-1]}\): correct"):
        training_starts(tmp_path)
