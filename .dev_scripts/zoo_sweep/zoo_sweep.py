"""Check every distinct model of mmseg, mmdet and mmpretrain, alone and with an SR network:

    python .dev_scripts/zoo_sweep/zoo_sweep.py --jobs 2

Each model runs in a process of its own, with a limit of time and memory. Each result is written at once, and the same
command continues an interrupted sweep. No GPU is needed.
"""

import argparse
import fnmatch
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from pathlib import Path

from tqdm import tqdm
from zoo_models import ZOOS, ZooModel, config_names, distinct_models, read_models, save_models, smallest_first
from zoo_report import CHECKS, COLUMNS, cause_of, is_complete, read_rows, write_rows, write_summary


class Worker:
    """Process that checks one model.

    Args:
        model (ZooModel): Model to check.
        logs (Path): Folder for tracebacks.
        old (dict): Row of an earlier sweep. Only the checks that it lacks are made.

    Example:
        >>> worker = Worker(model, Path('work_dirs/zoo_sweep'), {})
        >>> while not worker.poll(timeout=240, memory=10): time.sleep(1)
        >>> row = worker.result()
    """

    def __init__(self, model: ZooModel, logs: Path, old: dict) -> None:
        self.model, self.start, self.peak, self.logs, self.old = model, time.time(), 0.0, logs, old
        done = [check for check in CHECKS if old.get(check)]
        self.row = {name: old[name] for name in done} | dict(errors=[old['error']] if old.get('error') else [])
        self.pipe, pipe = multiprocessing.Pipe(duplex=False)
        self.process = multiprocessing.get_context('fork').Process(target=_work, args=(model, pipe, logs, done))
        self.process.start()
        pipe.close()

    def poll(self, timeout: float, memory: float) -> bool:
        """Receive new results, stop the process at a limit, and return whether it has ended."""
        self.peak = max(self.peak, _memory(self.process.pid))
        if self.peak > memory:
            self._stop(f'memory limit of {memory:g} GB')
        elif time.time() - self.start > timeout:
            self._stop(f'time limit of {timeout:g} s')
        try:
            while self.pipe.poll():
                self._take(self.pipe.recv())
        except EOFError:
            self.process.join()
            if self.process.exitcode and 'limit' not in self.row:
                self.row['limit'] = f'the process died: {signal.Signals(-self.process.exitcode).name}'
            return True
        return False

    def result(self) -> dict:
        """Return the row of the CSV file."""
        row, model = dict(self.row), self.model
        errors = row.pop('errors', [])
        if limit := row.pop('limit', None):
            check = next((check for check in CHECKS if check not in row), 'bare')
            row[check] = 'failed'
            errors = [*errors, f'{check}: {limit}']
        if model.problem:
            row, errors = dict(bare='failed'), [model.problem]
        row = dict.fromkeys(COLUMNS, '') | dict.fromkeys(CHECKS, '-') | row
        row.update(key=model.key, zoo=model.zoo, family=model.family, config=model.config, configs=len(model.configs))
        row.update(error=' | '.join(errors)[:600], cause=cause_of(' | '.join(errors)), same=' '.join(model.configs[1:]))
        seconds = time.time() - self.start + float(self.old.get('seconds') or 0)
        return row | dict(
            seconds=f'{seconds:.0f}', memory_gb=f'{max(self.peak, float(self.old.get("memory_gb") or 0)):.1f}'
        )

    def _take(self, part: dict) -> None:
        if text := part.pop('traceback', None):
            with (self.logs / f'{self.model.key}.txt').open('a') as file:
                file.write(f'{self.model.config}\n{text}\n')
        if error := part.pop('error', None):
            self.row.setdefault('errors', []).append(error)
        self.row.update(part)

    def _stop(self, why: str) -> None:
        self.row.setdefault('limit', why)
        self.process.kill()


def _work(model: ZooModel, pipe: Connection, logs: Path, done: list[str]) -> None:
    from mmengine.logging import MMLogger
    from zoo_check import check_model

    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # the zoos' messages
        os.dup2(null, stream)
    MMLogger.get_current_instance().setLevel('ERROR')
    if not model.problem:
        for part in check_model(model.config, done):
            pipe.send(part)
    pipe.close()


def _memory(pid: int) -> float:
    """Return the resident memory in GB; 0 if the process has ended."""
    try:
        return int(Path(f'/proc/{pid}/statm').read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 1e9
    except (FileNotFoundError, ProcessLookupError):
        return 0.0


def sweep(models: list[ZooModel], args: argparse.Namespace) -> Iterator[dict]:
    """Check models, several at a time, and yield each row as it comes."""
    waiting, workers = list(reversed(models)), []
    old = {row['key']: row for row in read_rows(args.out)}
    while waiting or workers:
        while waiting and len(workers) < args.jobs:
            model = waiting.pop()
            workers.append(Worker(model, args.logs, old.get(model.key, {})))
        wait([worker.pipe for worker in workers], timeout=0.2)
        for worker in [worker for worker in workers if worker.poll(args.timeout, args.memory)]:
            workers.remove(worker)
            yield worker.result()


def list_models(path: Path) -> list[ZooModel]:
    """List all distinct models. Loading all configs takes a minute, so the list is kept in a file."""
    if not path.exists():
        names = [name for zoo in ZOOS for name in config_names(zoo)]
        save_models(distinct_models(tqdm(names, desc='configs', mininterval=2)), path)
    return read_models(path)


def find_models(models: list[ZooModel], args: argparse.Namespace) -> list[ZooModel]:
    """Select the models that are still to be checked, in order."""
    done = {row['key'] for row in read_rows(args.out) if is_complete(row)}
    wanted = [m for m in smallest_first(models) if m.key not in done and any(_matches(c, args.only) for c in m.configs)]
    return wanted[: args.limit]


def _matches(config: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatch(config, pattern) for pattern in patterns)


def import_zoos() -> None:
    """Import the zoos once, before the workers fork from this process."""
    import mmagic.models  # noqa: F401
    import mmdet.utils
    import mmpretrain.utils
    import mmseg.utils
    import zoo_check  # noqa: F401

    for zoo in (mmseg, mmdet, mmpretrain):
        zoo.utils.register_all_modules(init_default_scope=False)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--out', type=Path, default=Path('docs/zoo_sweep.csv'), help='CSV file; the summary goes to the same folder'
    )
    parser.add_argument(
        '--only',
        nargs='+',
        default='*',
        metavar='PATTERN',
        help="only models of matching configs, e.g. 'mmdet::detr/*'",
    )
    parser.add_argument('--limit', type=int, help='number of models to check')
    parser.add_argument('--jobs', type=int, default=1, help='number of processes (default: 1)')
    parser.add_argument('--timeout', type=float, default=240, help='seconds for each model (default: 240)')
    parser.add_argument('--memory', type=float, default=10, help='GB for each model (default: 10)')
    parser.add_argument('--redo-failed', action='store_true', help='check failed models again, if --only matches them')
    parser.add_argument('--summary', action='store_true', help='only write the summary of the CSV file')
    parser.add_argument(
        '--models', type=Path, default=Path('work_dirs/zoo_models.json'), help='file with the list of distinct models'
    )
    parser.add_argument('--logs', type=Path, default=Path('work_dirs/zoo_sweep'), help='folder for tracebacks')
    return parser.parse_args()


def main() -> None:
    """Read the command line, sweep, write the summary."""
    args = parse_args()
    import torch

    torch.set_num_threads(1)
    if args.redo_failed:
        rows = read_rows(args.out)
        failed = [r for r in rows if 'failed' in [r[c] for c in CHECKS] and _matches(r['config'], args.only)]
        write_rows([row for row in rows if row not in failed], args.out)
    known = list_models(args.models)
    if not args.summary:
        args.logs.mkdir(parents=True, exist_ok=True)
        models = find_models(known, args)
        import_zoos()
        for row in tqdm(sweep(models, args), total=len(models), desc='models', mininterval=2):
            # in the place of the row of an earlier sweep
            write_rows([*(r for r in read_rows(args.out) if r['key'] != row['key']), row], args.out)
    write_summary(read_rows(args.out), args.out.with_suffix('.md'), len(known))


if __name__ == '__main__':
    main()
