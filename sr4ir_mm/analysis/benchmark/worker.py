"""A process of its own for each variant: the peak of its memory is that of one variant only."""

import os
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch

from ...errors import SR4IRError


class Worker:
    """The side of the process that works: a function that it calls when it is told to.

    Args:
        turn (Callable): Function without arguments; what it returns is a number.
        device (str): Device of which time and memory are measured.
    """

    def __init__(self, turn: Callable[[], Any], device: str = 'cpu') -> None:
        self.call = turn
        self.device, self.is_cuda = device, device.startswith('cuda')
        _forget_peak()
        self.before = memory('VmRSS')

    def turn(self) -> dict[str, float]:
        """Call the function once: ``seconds``, ``cpu_seconds`` of all threads, and ``value``, what it returned."""
        self._wait()
        start = time.perf_counter(), time.process_time()
        value = self.call()
        self._wait()
        seconds, cpu_seconds = time.perf_counter() - start[0], time.process_time() - start[1]
        return dict(seconds=seconds, cpu_seconds=cpu_seconds, value=float(value))

    def warm(self) -> dict[str, float]:
        """Call the function once before the measurement: caches fill, and kernels are chosen."""
        result = self.turn()
        if self.is_cuda:
            torch.cuda.reset_peak_memory_stats(self.device)
        return result

    def memory(self) -> dict[str, float]:
        """Return MiB: the peak of the process, its size before the first call, and the peak of tensors on a GPU."""
        result = dict(peak_mib=memory('VmHWM'), before_mib=self.before)
        if self.is_cuda:
            result['cuda_peak_mib'] = torch.cuda.max_memory_allocated(self.device) / 2**20
        return result

    def _wait(self) -> None:
        if self.is_cuda:
            torch.cuda.synchronize(self.device)


def _forget_peak() -> None:
    """Let Linux measure the peak from now on: a first prediction, by which a work is built, may need more than it."""
    if os.access(path := '/proc/self/clear_refs', os.W_OK):
        Path(path).write_text('5')


def memory(name: str) -> float:
    """Return MiB of this process: 'VmRSS', its size now, or 'VmHWM', the peak; without Linux always the peak."""
    status = Path('/proc/self/status')
    if status.exists():
        return int(status.read_text().partition(f'{name}:')[2].split()[0]) / 2**10
    import resource  # Windows has none

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == 'darwin' else 2**10)


def free_memory() -> float:
    """Return the share of the machine's memory that is available; without Linux 1."""
    if not (status := Path('/proc/meminfo')).exists():
        return 1.0
    lines = (line.split() for line in status.read_text().splitlines())
    sizes = {line[0]: int(line[1]) for line in lines}
    return sizes['MemAvailable:'] / sizes['MemTotal:']


def serve(connection: Connection, make: Callable[..., Callable], args: dict, threads: int | None, device: str) -> None:
    """Build what is measured, then do what is asked for until the other side closes.

    Args:
        connection (Connection): Connection to the other side; it receives ``(True, result)`` or ``(False, reason)``.
        make (Callable): Function that returns what is called in each turn.
        args (dict): Its arguments.
        threads (int, optional): Number of PyTorch's threads; default: that of PyTorch.
        device (str): Device of which time and memory are measured.
    """
    sys.stdout = open(os.devnull, 'w')  # noqa: SIM115  what libraries and logs print, until the process ends
    warnings.simplefilter('ignore')
    if threads:
        torch.set_num_threads(threads)
    torch.set_flush_denormal(True)  # random weights make some, which are slow
    try:
        worker = Worker(make(**args), device)
        connection.send((True, dict(threads=torch.get_num_threads())))
        while (command := connection.recv()) is not None:
            connection.send((True, getattr(worker, command)()))
    except EOFError:  # the other side has gone
        return
    except SR4IRError as error:
        connection.send((False, str(error)))
    except Exception:  # whatever the networks raise; the other side shows it and ends
        connection.send((False, traceback.format_exc()))
