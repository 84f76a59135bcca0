"""The paper's table in one command: python tools/make_table.py 'configs/paper/tv-*_edsr_x8_*.py'

Trains and tests SR4IR and its baselines with each config of SR4IR that is named; other files that a glob matches are
skipped. Writes table.md, table.csv and table.png into the work dir after every run. To continue after an interruption,
give the same command again: finished runs are skipped, others are resumed. The numbers are those of the last epoch, as
in the paper.
"""

import argparse
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paper_table.configs import ROWS, PaperConfig, find_paper_configs, task_metric
from paper_table.plan import Plan
from paper_table.runs import Run
from paper_table.table import Block, make_block, to_markdown, write_csv

from sr4ir_mm.config import last_checkpoint, read_metrics
from sr4ir_mm.config.cli import Parser, at_least
from sr4ir_mm.errors import SR4IRError, user_errors
from sr4ir_mm.models.scheme import ALIASES

TOOLS = Path(__file__).resolve().parent


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = Parser(description=__doc__)
    parser.add_argument(
        'configs',
        nargs='+',
        help='configs of SR4IR, <task network>_<SR network>_x<scale>_<data>.py, or globs of them',
    )
    parser.add_argument(
        '--schemes',
        nargs='+',
        type=lambda name: ALIASES.get(name, name),
        choices=ROWS,
        metavar='SCHEME',
        help=f'rows of the table: {", ".join(ROWS)}, or without quotes h2t, l2t, ...; default: all',
    )
    parser.add_argument('--seeds', nargs='+', type=at_least(0), help="seeds of the runs; default: each config's own")
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/table'), help='folder of all runs')
    parser.add_argument('--dry-run', action='store_true', help='list the runs in order, and do nothing')
    parser.add_argument('--gpus', type=at_least(1), default=1, help='GPUs for each run; more than one: distributed')
    parser.add_argument('--amp', action='store_true', help='train with mixed precision')
    parser.add_argument('--cfg-options', nargs='+', default=[], help='override entries in every run: key=value ...')
    return parser.parse_args()


def check_options(args: argparse.Namespace) -> None:
    """Refuse options that the table sets itself."""
    keys = {option.partition('=')[0] for option in args.cfg_options}
    for key, argument in {'work_dir': '--work-dir', 'randomness.seed': '--seeds', 'model.scheme': '--schemes'}.items():
        if key in keys:
            raise SR4IRError(f'--cfg-options {key} would be the same for every run: use {argument}.')


def list_runs(plan: Plan) -> None:
    """Print the status of every run, in the order of execution."""
    for i, run in enumerate(plan.runs.values(), 1):
        starts = (f'{part} from {os.path.basename(str(source))}' for part, source in run.starts_from.items())
        print(f'{i:4} {run.status():7} {run}', *starts, sep='; ')


@contextmanager
def locked(folder: Path) -> Iterator[int]:
    """Keep other processes out of a folder. A tool that outlives this process keeps the lock, which it inherits."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / '.lock', 'w') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SR4IRError(f"Another process is at work in '{folder}': wait for it, or stop it.") from None
        yield file.fileno()


def call(tool: str, gpus: int, lock: int, *args: object) -> None:
    """Run one of the tools, its output on the screen."""
    launch, launcher = [sys.executable, '-W', 'ignore'], []
    if gpus > 1:
        launch += ['-m', 'torch.distributed.run', '--standalone', f'--nproc_per_node={gpus}']
        launcher = ['--launcher', 'pytorch']
    command = [*launch, TOOLS / tool, *args, *launcher]
    code = subprocess.run([str(arg) for arg in command], pass_fds=[lock], check=False).returncode
    if code:
        raise SR4IRError(f'{tool} ended with exit code {code}, see its messages above.')


def execute(run: Run) -> None:
    """Train, from the last checkpoint if there is one, and test the last epoch."""
    with locked(run.folder) as lock:
        run.store()
        options = ['--cfg-options', *run.cfg_options()]
        config, test_dir = run.config_args(), run.folder / 'test'
        call('train.py', run.gpus, lock, *config, '--work-dir', run.folder, *run.train_args, '--resume', *options)
        call('test.py', run.gpus, lock, *config, last_checkpoint(run.folder), '--work-dir', test_dir, *options)
        if (metrics := read_metrics(test_dir)) is None:
            raise SR4IRError(f"tools/test.py left no metrics in '{test_dir}': see its output above.")
        run.store(metrics)


def execute_all(plan: Plan) -> Iterator[Run]:
    """Execute the runs that are not done, and yield each one. After a failure, runs that do not need it continue."""
    failed: set[Path] = set()
    for i, run in enumerate(plan.runs.values(), 1):
        if (status := run.status()) == 'done':
            continue
        print(f'\n===== {i}/{len(plan.runs)} {run} ({status}): {run.folder}', flush=True)
        try:
            if broken := [need for need in run.needs.values() if need.folder in failed]:
                raise SR4IRError(f'It needs {broken[0]}, which failed.')
            execute(run)
        except SR4IRError as error:
            print(f'\n===== {run} failed: {error}', file=sys.stderr, flush=True)
            failed.add(run.folder)
        yield run


def write_table(plan: Plan, rows: dict[PaperConfig, list[dict[str, Run]]]) -> list[Block]:
    """Write the table of the runs that are done; ``rows`` are the runs by scheme, for each config and seed."""
    from paper_table.plot import plot  # matplotlib, which --help does not need

    blocks = []
    for config, seeds in rows.items():
        results = {
            scheme: {runs[scheme].seed: done for runs in seeds if (done := runs[scheme].metrics())}
            for scheme in seeds[0]
        }
        name = dict(net=config.net, sr=config.sr, scale=config.scale, data=config.data)
        blocks.append(make_block(name, task_metric(plan.load(config.path)), results))
    plan.work_dir.mkdir(parents=True, exist_ok=True)
    (plan.work_dir / 'table.md').write_text(to_markdown(blocks))
    write_csv(blocks, plan.work_dir / 'table.csv')
    plot(blocks, plan.work_dir / 'table.png')
    return blocks


def main() -> int:
    """Plan, run and write; return the exit code."""
    args = parse_args()
    check_options(args)
    plan, rows = Plan(args.work_dir, args.cfg_options, ['--amp'] * args.amp, args.gpus), {}
    configs = find_paper_configs(args.configs)
    for seed in dict.fromkeys(args.seeds or [None]):  # all runs of the first seed come first
        for config in configs:
            rows.setdefault(config, []).append(plan.add_paper_config(config, args.schemes, seed))
    plan.check_options()
    for run in plan.runs.values():
        run.check_same()
    list_runs(plan)
    if args.dry_run:
        return 0
    for run in plan.unfinished():
        plan.check(run)
    blocks = write_table(plan, rows)
    for _ in execute_all(plan):
        blocks = write_table(plan, rows)
    print(f'\n{to_markdown(blocks)}\nIn {args.work_dir}: table.md, table.csv, table.png', flush=True)
    if failed := plan.unfinished():
        print(f'\nFailed, see above: {", ".join(map(str, failed))}', file=sys.stderr)
    return int(bool(failed))


if __name__ == '__main__':
    with user_errors():
        sys.exit(main())
