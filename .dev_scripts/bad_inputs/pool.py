"""Cases in forked processes: each in its own folder, with a time limit."""

import argparse
import gc
import json
import logging
import os
import re
import resource
import runpy
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench import ROOT
from case import Case
from results import Result, judge

LIMIT = 45  # seconds for a case


def read_arguments(description: str, example: str) -> argparse.Namespace:
    """Read the command line of a script that runs cases; ``example``: a pattern of names."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--only', nargs='+', default=['*'], metavar='PATTERN', help=f"names of cases, e.g. '{example}'")
    parser.add_argument('--jobs', type=int, default=os.cpu_count(), help='processes; default: the number of cores')
    parser.add_argument('--keep', type=Path, metavar='DIR', help='new folder for all files and outputs, which stay')
    return parser.parse_args()


def run_all(cases: Iterable[Case], bench: Path, out: Path, jobs: int, keep: bool = False) -> Iterator[Result]:
    """Run cases in copies of the bench, and yield the results as they come.

    Args:
        cases (Iterable[Case]): Cases.
        bench (Path): Folder to copy.
        out (Path): Folder for the copies and the outputs.
        jobs (int): Number of processes.
        keep (bool): Whether to keep the copies.
    """
    gc.collect()
    gc.freeze()  # so that collections in the children copy no memory
    waiting, running = list(cases)[::-1], {}
    while waiting or running:
        while waiting and len(running) < jobs:
            case = waiting.pop()
            folder = out / re.sub(r'\W+', '-', case.name)
            running[start(case, folder, bench)] = (case, folder, time.time())
        for pid, (case, folder, begin) in list(running.items()):
            seconds = time.time() - begin
            done, status = os.waitpid(pid, os.WNOHANG)
            if not done and seconds > LIMIT:
                os.killpg(pid, signal.SIGKILL)
                done, status = os.waitpid(pid, 0)
            if done:
                del running[pid]
                yield judge(case, folder, status, seconds)
                if not keep:
                    shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.02)


def start(case: Case, folder: Path, bench: Path | None) -> int:
    """Fork a process that runs a case, and return its number. Without a bench the folder is used as it is."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        os.setsid()
        if bench:
            shutil.copytree(bench, folder, symlinks=True)
        else:
            folder.mkdir(parents=True, exist_ok=True)
        code = _child(case, folder)
    finally:
        os._exit(code)


def _child(case: Case, folder: Path) -> int:
    """Run the tool, then the check; what happened is in the file ``result.json`` next to ``stdout`` and ``stderr``."""
    logs = folder.with_name(folder.name + '.log')
    logs.mkdir()
    writers = [_log(number, logs / name, case.disk) for number, name in ((1, 'stdout'), (2, 'stderr'))]
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(folder)
    case.prepare()
    before = snapshot()
    if case.disk:
        resource.setrlimit(resource.RLIMIT_FSIZE, (case.disk, resource.RLIM_INFINITY))
    code = call(case.args)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    logging.shutdown()  # as at the end of a process
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    for number, writer in enumerate(writers, 1):
        os.dup2(os.open(os.devnull, os.O_WRONLY), number)
        if writer:
            writer.wait()
    wrong = '' if code not in (0, case.code) else _check(case, logs)
    if code == 2 and (lost := changed(before)):
        wrong = f'a refused command has changed {lost}'
    (logs / 'result.json').write_text(json.dumps(dict(code=code, wrong=wrong)))
    return 0


def _log(number: int, path: Path, limited: int) -> subprocess.Popen | None:
    """Let a file receive the output; another process writes it if the size of files is limited in this one."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    writer = subprocess.Popen(['cat'], stdin=subprocess.PIPE, stdout=file) if limited else None
    os.dup2(writer.stdin.fileno() if writer else file, number)
    if writer:
        writer.stdin.close()
    return writer


def call(args: list[str]) -> int:
    """Run a tool as a script, and return its exit code."""
    path = ROOT / f'tools/{args[0]}.py'
    sys.argv = [str(path), *args[1:]]
    sys.path.insert(0, str(path.parent))
    code = 0
    try:
        runpy.run_path(str(path), run_name='__main__')
    except SystemExit as exit:
        code = exit.code if isinstance(exit.code, int) else int(bool(exit.code))
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 1
    return code


def snapshot() -> dict[str, tuple[int, int]]:
    """Return size and time of the checkpoints and configs of the runs."""
    files = [path for kind in ('*.pth', '*.py') for path in Path('runs').glob(f'*/{kind}')]
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}


def changed(before: dict) -> list[str]:
    """Return the checkpoints and configs that are no longer as they were, and new checkpoints."""
    after = snapshot()
    new = [path for path in after if path not in before and path.endswith('.pth')]
    return new + [path for path in before if after.get(path) != before[path]]


def _check(case: Case, logs: Path) -> str:
    if case.check is None:
        return 'exit code 0, but it must be refused'
    try:
        case.check((logs / 'stdout').read_text(errors='replace') + (logs / 'stderr').read_text(errors='replace'))
    except Exception as error:
        return f'{type(error).__name__}: {error}'
    return ''
