"""Variants that take turns: a disturbance of the machine, such as another process, meets all of them."""

import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from typing import Any

from ...errors import SR4IRError
from .worker import free_memory, serve

#: of one variant: 'seconds', 'cpu_seconds' and 'values' of each turn, and the entries of ``Worker.memory``
Measured = dict[str, Any]


def take_turns(
    works: Mapping[str, tuple[Callable[..., Callable], dict]],
    turns: int,
    warmup: int = 1,
    threads: int | None = None,
    device: str = 'cpu',
) -> dict[str, Measured]:
    """Measure works in turn, each in a process of its own.

    Args:
        works (Mapping): Function that returns what is measured, and its arguments, by name.
        turns (int): Number of turns of each that are measured.
        warmup (int): Number of turns before them.
        threads (int, optional): Number of PyTorch's threads; default: that of PyTorch.
        device (str): Device of which time and memory are measured.

    Raises:
        SR4IRError: If one of them fails, or all together leave no memory.

    Example:
        >>> take_turns(dict(floor=(training_process, dict(job=job, variant=VARIANTS['floor']))), turns=5)
    """
    with ExitStack() as stack:
        processes = {name: stack.enter_context(_process(name, *work, threads, device)) for name, work in works.items()}
        results: dict[str, Measured] = {name: _ask(name, process) for name, process in processes.items()}
        for result in results.values():
            result.update(seconds=[], cpu_seconds=[], values=[])
        for command in ['warm'] * warmup + ['turn'] * turns:
            for name, process in processes.items():
                turn = _ask(name, process, command)
                _check_memory(name)
                results[name]['values'].append(turn['value'])
                if command == 'turn':
                    results[name]['seconds'].append(turn['seconds'])
                    results[name]['cpu_seconds'].append(turn['cpu_seconds'])
        for name, process in processes.items():
            results[name].update(_ask(name, process, 'memory'))
    return results


def _check_memory(name: str) -> None:
    """Refuse to measure while the system has to take back the memory of programs and files."""
    if (share := free_memory()) < 0.04:
        raise SR4IRError(
            f"After a turn of '{name}' {share:.0%} of the machine's memory is free, so that nothing runs at its usual "
            'speed. Take fewer --variants at a time, or a smaller --batch or --size.'
        )


@contextmanager
def _process(name: str, make: Callable, args: dict, threads: int | None, device: str) -> Iterator[tuple]:
    context = multiprocessing.get_context('spawn')
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, make, args, threads, device), name=name, daemon=False)
    process.start()
    theirs.close()
    try:
        yield ours, process
    finally:
        ours.close()
        process.join(2)
        process.kill()


def _ask(name: str, process: tuple[Connection, Any], command: str | None = None) -> Any:
    connection, child = process
    try:
        if command:
            connection.send(command)
        is_done, result = connection.recv()
    except (EOFError, ConnectionError):
        child.join()
        raise SR4IRError(
            f"The process of '{name}' ended with exit code {child.exitcode} (-9: out of memory). Take fewer --variants "
            'at a time, or a smaller --batch or --size.'
        ) from None
    if not is_done:
        raise SR4IRError(f"'{name}': {result}")
    return result
