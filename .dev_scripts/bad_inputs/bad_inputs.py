"""Run the tools on bad inputs, and on unusual ones that are right:

    python .dev_scripts/bad_inputs/bad_inputs.py [--only PATTERN] [--jobs N] [--keep DIR]

Each case is made by code, and says what is right: one message and exit code 2, or a result. Prints how each case ended,
by kind; the exit code is 1 if a case did not end as it should.
"""

import fnmatch
import importlib
import os
import pkgutil
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

HERE = Path(__file__).resolve().parent
os.environ['CUDA_VISIBLE_DEVICES'] = ''  # CUDA does not survive a fork
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from bench import RUNS, make_configs, make_data, make_weights  # noqa: E402
from case import CASES, Case  # noqa: E402
from pool import read_arguments, run_all, start  # noqa: E402
from prettytable import PrettyTable  # noqa: E402
from results import Result, judge  # noqa: E402

MODULES = (
    'weights', 'runs', 'options', 'configs', 'classes', 'masks', 'images', 'numbers', 'annotations', 'archives',
    'outputs', 'good', 'good_images', 'good_tests',
)  # fmt: skip
#: packages that cases need: imported once, before the processes are forked
IMPORTS = (
    'torch', 'mmengine.runner', 'mmseg.apis', 'mmdet.apis', 'mmpretrain.apis', 'mmpretrain.datasets', 'torchmetrics',
    'scipy.io', 'matplotlib.pyplot', 'mmagic.models.editors.edsr.edsr_net',
)  # fmt: skip


def load_cases(only: Sequence[str] = ('*',)) -> list[Case]:
    """Return the cases whose names match one of the patterns."""
    for module in MODULES:
        importlib.import_module(f'cases_{module}')
    return [case for name, case in CASES.items() if any(fnmatch.fnmatch(name, pattern) for pattern in only)]


def needed_runs(cases: list[Case]) -> dict[str, str]:
    """Return the trainings that cases name; all of them if a case has a setup, which may name any."""
    if any(case.setup for case in cases):
        return RUNS
    text = ' '.join([*(f'{case.command} {case.files}' for case in cases), *RUNS.values(), 'runs/seg runs/cls'])
    return {name: command for name, command in RUNS.items() if re.search(rf'runs/{name}\b', text)}


def prepare(folder: Path, runs: dict[str, str]) -> Path:
    """Make the bench with its trainings in a folder, and return it."""
    import sr4ir_mm  # serves mmcv's operations

    for name in (*IMPORTS, *_own_modules(sr4ir_mm)):
        importlib.import_module(name)
    __import__('torch').set_num_threads(1)
    bench = folder / 'bench'
    make_data(bench)
    make_configs(bench)
    # a process for each, because autograd's threads do not survive a fork
    trainings = [
        Case(f'run {name}', f'{command} --work-dir runs/{name}', check=lambda output: None)
        for name, command in runs.items()
    ]
    for case in trainings:
        status = os.waitpid(start(case, bench, None), 0)[1]
        if not (result := judge(case, bench, status, 0)).ok:
            raise RuntimeError(f'{case.name}: {result.text}')
        bench.with_name('bench.log').rename(folder / f'{case.name}.log')
    make_weights(bench)
    return bench


def _own_modules(package: ModuleType) -> list[str]:
    """Return the modules of this package that need no optional one."""
    names = [module.name for module in pkgutil.walk_packages(package.__path__, 'sr4ir_mm.')]
    return [name for name in names if not name.startswith(('sr4ir_mm.webui', 'sr4ir_mm.__main__'))]


def fast_format() -> AbstractContextManager:
    """Return a context without yapf, which takes seconds for each config that is written."""
    return patch('mmengine.config.config.FormatCode', lambda text, **kwargs: (text, False))


def run_cases(cases: list[Case], folder: Path, jobs: int, keep: bool = False) -> list[Result]:
    """Run cases below a folder, and return their results."""
    results = []
    with fast_format():
        bench = prepare(folder, needed_runs(cases))
        for result in run_all(cases, bench, folder / 'cases', jobs, keep):
            results.append(result)
            mark = '' if result.ok else '   <-----'
            print(f'{len(results):4} {result.seconds:5.1f} s  {result.kind:14} {result.case.name}{mark}', flush=True)
    return results


def report(results: list[Result]) -> None:
    """Print the failures and the counts."""
    failures = [result for result in results if not result.ok]
    for result in failures:
        print(f'\n{result.case.name}: {result.kind}\n    {result.case.command}\n    {result.text}')
    table = PrettyTable(['kind', 'as it should', 'not'], align='r')
    kinds = Counter((result.kind, result.ok) for result in results)
    for kind in sorted({kind for kind, _ in kinds}):
        table.add_row([kind, kinds[kind, True], kinds[kind, False]])
    table.add_row(['all', len(results) - len(failures), len(failures)])
    print(f'\n{table}')


def main() -> int:
    """Read the command line, run, report; return the exit code."""
    args = read_arguments(__doc__, 'weights: *')
    begin = time.time()
    with tempfile.TemporaryDirectory() as folder:
        folder = args.keep.resolve() if args.keep else Path(folder)
        results = run_cases(load_cases(args.only), folder, args.jobs, bool(args.keep))
    report(results)
    print(f'{time.time() - begin:.0f} s')
    return int(not results or not all(result.ok for result in results))


if __name__ == '__main__':
    sys.exit(main())
