"""Processes that take turns, with works that need no network."""

import mmap
import multiprocessing
import os
import sys
import time
from pathlib import Path

import pytest
import torch

from sr4ir_mm.analysis.benchmark.turns import take_turns
from sr4ir_mm.analysis.benchmark.worker import Worker, free_memory
from sr4ir_mm.errors import SR4IRError

MIB = 2**20


def writer(path: str, name: str):
    """A work that appends its name to a file, and returns the number of its turn."""
    turns = iter(range(99))

    def turn() -> int:
        with open(path, 'a') as file:
            file.write(name)
        time.sleep(0.01)
        return next(turns)

    return turn


def hog(mib: int):
    return lambda: len(bytearray(os.urandom(MIB)) * mib) // MIB


def failing(how: str):
    def turn() -> None:
        if how == 'dead':
            os._exit(9)
        raise {'user': SR4IRError('the message'), 'bug': ZeroDivisionError('a bug')}[how]

    return turn


@pytest.fixture
def forked(monkeypatch):
    """Fork the processes from one that has imported PyTorch, where that is possible."""
    if 'forkserver' in multiprocessing.get_all_start_methods():
        context = multiprocessing.get_context('forkserver')
        context.set_forkserver_preload(['pytest', take_turns.__module__])
        monkeypatch.setattr(multiprocessing, 'get_context', lambda method: context)


def test_turns_alternate_and_the_warm_up_is_not_measured(tmp_path, forked):
    path = tmp_path / 'turns'
    works = {name: (writer, dict(path=str(path), name=name)) for name in 'ab'}
    results = take_turns(works, turns=2, warmup=1, threads=1)
    assert path.read_text() == 'ababab'
    for result in results.values():
        assert len(result['seconds']) == len(result['cpu_seconds']) == 2 and min(result['seconds']) >= 0.01
        assert result['values'] == [0, 1, 2] and result['threads'] == 1


@pytest.mark.skipif(sys.platform != 'linux', reason='elsewhere the size before the first turn is unknown')
def test_peaks_of_variants_are_their_own():
    results = take_turns({name: (hog, dict(mib=mib)) for name, mib in dict(large=300, small=1).items()}, 1)
    large, small = (results[name]['peak_mib'] - results[name]['before_mib'] for name in ('large', 'small'))
    assert large > 290 and small < 100


def test_the_gpu_that_is_named_is_the_one_that_is_measured(monkeypatch):
    asked = []
    for name in ('synchronize', 'reset_peak_memory_stats', 'max_memory_allocated'):
        monkeypatch.setattr(torch.cuda, name, lambda device=None: asked.append(device) or 2**20)
    worker = Worker(lambda: 1, 'cuda:1')
    worker.warm()
    assert worker.memory()['cuda_peak_mib'] == 1 and set(asked) == {'cuda:1'}


@pytest.mark.skipif(not os.access('/proc/self/clear_refs', os.W_OK), reason='the peak cannot be set back')
def test_the_peak_of_building_does_not_count():
    hog(300)()
    result = Worker(lambda: 1).memory()
    assert result['peak_mib'] - result['before_mib'] < 100


@pytest.mark.parametrize('how,message', [('user', "^'x': the message$"), ('bug', 'a bug'), ('dead', 'exit code 9')])
def test_failures_have_the_name_of_the_variant(how, message, forked):
    with pytest.raises(SR4IRError, match=message) as error:
        take_turns(dict(x=(failing, dict(how=how))), 1)
    assert "'x'" in str(error.value)


def test_a_machine_without_memory_is_not_measured(monkeypatch, tmp_path, forked):
    """The system then takes back the memory of programs, and reads them from the disk again."""
    monkeypatch.setattr('sr4ir_mm.analysis.benchmark.turns.free_memory', lambda: 0.02)
    with pytest.raises(SR4IRError, match=r"turn of 'a' 2% of the machine's memory .* fewer --variants"):
        take_turns(dict(a=(writer, dict(path=str(tmp_path / 'turns'), name='a'))), turns=1)


@pytest.mark.skipif(sys.platform != 'linux', reason='free memory is not known elsewhere')
def test_free_memory_shrinks_with_what_is_used():
    """Unless another program frees as much just then; what this process has freed may still be its own."""

    def shrinks() -> bool:
        before = free_memory()
        with mmap.mmap(-1, 600 * MIB) as used:
            for _ in range(600):
                used.write(bytes([1]) * MIB)
            return free_memory() < before

    assert any(shrinks() for _ in range(5))


def test_this_file_is_importable_by_the_processes():
    """As 'spawn' needs it: pytest puts the folder of a test file on the path."""
    assert str(Path(__file__).parent) in sys.path
