"""Result files are complete or absent."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.utils import new_file, short_path, write_file


def test_a_file_appears_when_it_is_complete(tmp_path):
    path = tmp_path / 'new/folder/scores.npy'
    with new_file(path) as partial:
        np.save(partial, np.arange(3))
        assert not path.exists()
    assert np.load(path).tolist() == [0, 1, 2] and os.listdir(path.parent) == ['scores.npy']


def test_an_interruption_leaves_the_earlier_file(tmp_path):
    path = tmp_path / 'x.txt'
    path.write_text('earlier')
    with pytest.raises(KeyboardInterrupt), new_file(path) as partial:
        partial.write_text('hal')
        raise KeyboardInterrupt
    assert path.read_text() == 'earlier' and os.listdir(tmp_path) == ['x.txt']


def test_a_full_disk(tmp_path, monkeypatch):
    def full(self: Path, data: bytes) -> None:
        self.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, 'write_bytes', full)
    with pytest.raises(
        SR4IRError, match=rf"'{tmp_path}/x\.txt' cannot be written: No space left on device\. Make room"
    ):
        write_file(tmp_path / 'x.txt', 'text')
    assert not os.listdir(tmp_path)


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='Linux')
def test_devices_stay_devices():
    with pytest.raises(SR4IRError, match=r"'/dev/full' cannot be written: No space left"):
        write_file('/dev/full', 'text')
    write_file('/dev/null', 'text')
    assert not Path('/dev/full').is_file() and not Path('/dev/null').is_file()


def test_other_reasons(tmp_path):
    (tmp_path / 'file').write_text('')
    for name, reason in (('file/x.txt', 'Not a directory'), ('y' * 300, 'File name too long'), ('.', 'Is a directory')):
        with pytest.raises(SR4IRError, match=rf'cannot be written: {reason}'):
            write_file(tmp_path / name, 'text')
    with pytest.raises(SR4IRError, match=r"'s3://bucket/x' is an address"):
        write_file('s3://bucket/x', 'text')
    assert os.listdir(tmp_path) == ['file']


def test_a_name_as_long_as_the_system_allows(tmp_path):
    write_file(tmp_path / f'{"y" * 251}.txt', 'text')
    assert os.listdir(tmp_path) == [f'{"y" * 251}.txt']


def test_links_and_permissions_are_those_of_a_usual_file(tmp_path):
    (tmp_path / 'target.txt').write_text('old')
    (tmp_path / 'link.txt').symlink_to('target.txt')
    write_file(tmp_path / 'link.txt', 'new')
    assert (tmp_path / 'link.txt').is_symlink() and (tmp_path / 'target.txt').read_text() == 'new'
    (tmp_path / 'usual.txt').write_text('')
    assert (tmp_path / 'target.txt').stat().st_mode == (tmp_path / 'usual.txt').stat().st_mode


def test_a_path_is_named_from_the_folder_of_the_user(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert short_path(tmp_path / 'runs/a') == 'runs/a'
    assert short_path(other := tmp_path.parent / 'b') == str(other)
