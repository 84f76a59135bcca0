"""A run that is stopped while it saves keeps a complete checkpoint."""

import errno
import os
from pathlib import Path

import pytest
import torch
from helpers.toy import ToyClassifier, ToyDataset, toy_batch
from helpers.zoo import runner_for
from mmengine.fileio import LocalBackend

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file() and path.suffix != '.py')


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    backend, path = LocalBackend(), tmp_path / 'new folder/epoch_1.pth'
    backend.put(b'old', path)

    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, 'fsync', fail)
    with pytest.raises(SR4IRError, match=r"epoch_1\.pth' cannot be written: No space left on device\. Earlier"):
        backend.put(b'new', path)
    assert path.read_bytes() == b'old' and files(path.parent) == ['epoch_1.pth']
    monkeypatch.undo()
    backend.put(memoryview(b'new'), str(path))
    assert path.read_bytes() == b'new' and files(path.parent) == ['epoch_1.pth']


def train(folder: Path, epochs: int = 4, **kwargs):
    torch.manual_seed(0)
    runner = runner_for(
        SR4IR(None, ToyClassifier(), scale=4, scheme='H->T'), ToyDataset(toy_batch(2)), folder,
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=1, max_keep_ckpts=2)), **kwargs)  # fmt: skip
    runner.train()
    return runner


def test_as_many_checkpoints_are_kept_as_mmengine_keeps(tmp_path):
    runner = train(tmp_path, epochs=3)
    assert files(tmp_path) == ['epoch_2.pth', 'epoch_3.pth', 'last_checkpoint']
    train(tmp_path, epochs=5, resume=True)
    assert files(tmp_path) == ['epoch_4.pth', 'epoch_5.pth', 'last_checkpoint']
    hook = next(hook for hook in runner.hooks if type(hook).__name__ == 'CheckpointHook')
    assert hook.max_keep_ckpts == 2


def test_the_oldest_is_deleted_only_when_the_new_one_is_complete(tmp_path, monkeypatch):
    replace = Path.replace

    def stop(self: Path, target: Path) -> Path:
        if 'epoch_3' in self.name:
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, 'replace', stop)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path)
    assert {'epoch_1.pth', 'epoch_2.pth'} <= set(files(tmp_path)) and 'epoch_3.pth' not in files(tmp_path)
    assert (tmp_path / 'last_checkpoint').read_text().endswith('epoch_2.pth')
    monkeypatch.undo()
    resumed = train(tmp_path, resume=True).model.state_dict()
    straight = train(tmp_path / 'straight').model.state_dict()
    assert all(torch.equal(resumed[key], straight[key]) for key in straight)
    assert files(tmp_path) == ['epoch_3.pth', 'epoch_4.pth', 'last_checkpoint']


def test_an_oldest_that_a_kill_left_is_deleted_on_resume(tmp_path, monkeypatch):
    def stop(self: LocalBackend, path: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(LocalBackend, 'remove', stop)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path)
    monkeypatch.undo()
    assert files(tmp_path) == ['epoch_1.pth', 'epoch_2.pth', 'epoch_3.pth', 'last_checkpoint']
    train(tmp_path, resume=True)
    assert files(tmp_path) == ['epoch_3.pth', 'epoch_4.pth', 'last_checkpoint']
