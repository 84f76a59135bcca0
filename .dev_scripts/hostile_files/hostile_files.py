"""Give files that try to run code to every tool and interface that loads files:

    python .dev_scripts/hostile_files/hostile_files.py [--only PATTERN] [--jobs N] [--keep DIR]

Checkpoints come from a path, from a server on this machine, and from the cache of downloads. None may run code, and
each must end in one message with exit code 2; where only the config in it is hostile and not needed, the command works.
Controls load files without a check, and must leave the mark that code leaves.
Prints the counts by entry point; the exit code is 1 if any code ran or a case did not end as it should.
"""

import fnmatch
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / 'bad_inputs'), str(HERE.parents[1])]

from bad_inputs import fast_format, prepare, report  # noqa: E402
from bench import RUNS  # noqa: E402
from entries import HostileCase, all_cases  # noqa: E402
from make_files import make_files  # noqa: E402
from pool import read_arguments, run_all  # noqa: E402
from results import Result  # noqa: E402


def run_cases(cases: list[HostileCase], folder: Path, served: Path, jobs: int, keep: bool) -> list[Result]:
    """Run cases below a folder, and return their results; those whose code ran are of the kind 'executed'."""
    marks = folder / 'marks'
    marks.mkdir(parents=True)
    os.environ.update(HOSTILE_MARKS=str(marks), TORCH_HOME='torch_home', no_proxy='127.0.0.1')  # a cache for each case
    bench = prepare(folder, {name: RUNS[name] for name in ('seg', 'cls')})
    make_files(bench / 'runs/seg/epoch_1.pth', bench / 'hostile')
    for path in (bench / 'hostile').iterdir():
        for name in (path.name, f'{path.stem}-0123abcd{path.suffix}'):
            (served / name).write_bytes(path.read_bytes())
    results = []
    for result in run_all(cases, bench, folder / 'cases', jobs, keep):
        if result.case.either and result.kind in ('one message', 'exit 0, wrong'):
            result.ok, result.kind = True, result.kind.removesuffix(', wrong')
        mark = marks / re.sub(r'\W+', '-', result.case.name)  # the name of the folder of the case
        if result.case.is_control:
            result.kind, result.ok = 'control', mark.exists()
        elif mark.exists():
            result.kind, result.ok = 'EXECUTED', False
        results.append(result)
        print(f'{len(results):4} {result.seconds:5.1f} s  {result.kind:14} {result.case.name}'
              f'{"" if result.ok else "   <-----"}', flush=True)  # fmt: skip
    others = {path.name for path in marks.iterdir()} - {re.sub(r'\W+', '-', case.name) for case in cases}
    assert not others, f'executed outside of the cases: {others}'
    return results


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Serve the files of a folder, and yield the address."""
    command = [sys.executable, '-u', '-m', 'http.server', '--bind', '127.0.0.1', '--directory', str(folder), '0']
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield re.search(r'http://[\d.:]+', process.stdout.readline())[0]
    finally:
        process.kill()
        process.wait()


def main() -> int:
    """Read the command line, run, report; return the exit code."""
    args = read_arguments(__doc__, 'test: *')
    begin = time.time()
    with tempfile.TemporaryDirectory() as temporary, fast_format():
        folder = (args.keep or Path(temporary) / 'run').resolve()
        served = Path(temporary) / 'served'
        served.mkdir()
        with server(served) as address:
            cases = [case for case in all_cases(address) if any(fnmatch.fnmatch(case.name, x) for x in args.only)]
            results = run_cases(cases, folder, served, args.jobs, bool(args.keep))
    report(results)
    number = sum(not result.case.is_control for result in results)
    print(f'executed: {sum(result.kind == "EXECUTED" for result in results)} of {number}')
    print(f'{time.time() - begin:.0f} s')
    return int(not results or not all(result.ok for result in results))


if __name__ == '__main__':
    sys.exit(main())
