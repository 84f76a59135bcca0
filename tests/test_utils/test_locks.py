"""Locks of folders: held by one process, and gone with it."""

import errno
import fcntl
import os
import signal
import subprocess
import sys

import pytest

from sr4ir_mm.utils.locks import LockedError, is_locked, locked


def test_one_at_a_time(tmp_path):
    folder = tmp_path / 'a/b'
    assert not is_locked(folder) and not folder.exists()
    with locked(folder):
        assert is_locked(folder)
        with pytest.raises(LockedError, match=r"Another process is at work in '.*a/b': wait for it"), locked(folder):
            pass
    assert not is_locked(folder)
    with locked(folder):
        pass


def test_a_child_that_outlives_its_parent_keeps_the_lock(tmp_path):
    with locked(tmp_path) as lock:
        child = subprocess.Popen(['sleep', '60'], pass_fds=[lock])
    assert is_locked(tmp_path)
    child.kill()
    child.wait()
    assert not is_locked(tmp_path)


def test_a_killed_process_leaves_no_lock(tmp_path):
    code = f"""
import sys, time
from pathlib import Path
from sr4ir_mm.utils.locks import locked
with locked(Path({str(tmp_path)!r})):
    print('locked', flush=True)
    time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b'locked\n' and is_locked(tmp_path)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not is_locked(tmp_path)


def test_a_file_system_without_locks_keeps_nobody_out(tmp_path, monkeypatch):
    def flock(file, operation):
        raise OSError(errno.ENOLCK, 'No locks available')

    monkeypatch.setattr(fcntl, 'flock', flock)
    with locked(tmp_path), locked(tmp_path):
        assert not is_locked(tmp_path)
