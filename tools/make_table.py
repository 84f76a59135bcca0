"""The paper's table, in one command: python tools/make_table.py 'configs/paper/tv-*_edsr_x8_*.py'

Trains and tests each scheme of each SR4IR config named (files, folders' globs; files of other schemes among them are
passed over), for each seed. What is done is skipped, what was cut is resumed: give the same command again. Writes
table.md, table.csv and table.png into the work dir, anew after every run.
"""

import argparse
import fcntl
import glob
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sr4ir_mm.apis.config import check_data
from sr4ir_mm.apis.runs import SCHEMES, Leaf, Plan, Run, last_checkpoint, test_metrics
from sr4ir_mm.apis.table import Block, make_block, plot, to_markdown, write_csv
from sr4ir_mm.errors import SR4IRError, user_errors

TOOLS = Path(__file__).resolve().parent
Cells = dict[Leaf, dict[str, list[Run]]]


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('configs', nargs='+', help='SR4IR configs, <net>_<sr>_x<scale>_<data>.py, or globs of them')
    parser.add_argument(
        '--schemes', nargs='+', choices=SCHEMES, help='rows of the table; default: all that have a config'
    )
    parser.add_argument('--seeds', nargs='+', type=int, help="default: each config's own")
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/table'))
    parser.add_argument('--dry-run', action='store_true', help='list the runs, in order, and do nothing')
    parser.add_argument('--gpus', type=int, default=1, help='GPUs for each run; more than one: distributed')
    parser.add_argument('--amp', action='store_true', help='train with mixed precision')
    parser.add_argument('--cfg-options', nargs='+', default=[], help='override entries in every run: key=value ...')
    return parser.parse_args()


def find_leaves(patterns: Sequence[str]) -> list[Leaf]:
    """The SR4IR configs among the files named."""
    paths = [path for pattern in patterns for path in sorted(glob.glob(pattern)) or [pattern]]
    if missing := [path for path in paths if not Path(path).is_file()]:
        raise SR4IRError(f"There is no config file '{missing[0]}'.")
    leaves = [leaf for path in dict.fromkeys(paths) if (leaf := Leaf.parse(path))]
    if not leaves:
        raise SR4IRError(f"'{paths[0]}' is no SR4IR config: their names are <net>_<sr>_x<scale>_<data>.py.")
    return leaves


def plan_table(plan: Plan, leaves: Sequence[Leaf], schemes: Sequence[str] | None, seeds: Sequence[int]) -> Cells:
    """The runs of each scheme of each leaf; the first seed of all comes before the second of any."""
    cells: Cells = {leaf: {} for leaf in leaves}
    for seed in seeds or [None]:
        for leaf in leaves:
            for scheme in SCHEMES:
                if scheme not in (schemes or SCHEMES):
                    continue
                if config := leaf.config(scheme):
                    cells[leaf].setdefault(scheme, []).append(plan.add(config, seed))
                elif schemes:
                    raise SR4IRError(f"There is no config of {scheme} for '{leaf.path}', there or in ../baselines.")
    return cells


def list_runs(plan: Plan) -> None:
    """Print what is done and what will be run, in order."""
    for i, run in enumerate(plan.runs.values(), 1):
        starts = (f'{part} from {os.path.basename(str(source))}' for part, source in run.starts_from.items())
        print(f'{i:4} {run.status():7} {run}', *starts, sep='; ')


def unfinished(plan: Plan) -> list[Run]:
    """The runs that are not done."""
    return [run for run in plan.runs.values() if run.status() != 'done']


@contextmanager
def locked(folder: Path) -> Iterator[int]:
    """Keep others out of a folder; a tool that outlives us keeps the lock that it inherits."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / '.lock', 'w') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SR4IRError(f"Another process is at work in '{folder}'.") from None
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
        raise SR4IRError(f'{tool} ended with exit code {code}.')


def execute(run: Run, gpus: int) -> None:
    """Train, from the last checkpoint if there is one, and test the last epoch."""
    with locked(run.folder) as lock:
        run.store()
        options = ['--cfg-options', *run.cfg_options()]
        checkpoint = last_checkpoint(run.folder)
        resume = ['--resume', checkpoint] if checkpoint else []
        call('train.py', gpus, lock, run.config, '--work-dir', run.folder, *run.train_args, *resume, *options)
        test_dir = run.folder / 'test'
        call('test.py', gpus, lock, run.config, last_checkpoint(run.folder), '--work-dir', test_dir, *options)
        run.store(test_metrics(test_dir))


def execute_all(plan: Plan, gpus: int) -> Iterator[Run]:
    """Make the runs that are not done; yields those that failed, and goes on with what does not need them."""
    failed: set[Path] = set()
    for i, run in enumerate(plan.runs.values(), 1):
        if run.status() == 'done':
            continue
        print(f'\n===== {i}/{len(plan.runs)} {run} ({run.status()}): {run.folder}', flush=True)
        try:
            if broken := [need for need in run.needs.values() if need.folder in failed]:
                raise SR4IRError(f'It needs {broken[0]}, which failed.')
            execute(run, gpus)
        except SR4IRError as error:
            print(f'\n===== {run} failed: {error}', file=sys.stderr, flush=True)
            failed.add(run.folder)
        yield run


def write_table(plan: Plan, cells: Cells, work_dir: Path) -> list[Block]:
    """Write the table of the runs that are done."""
    blocks = []
    for leaf, rows in cells.items():
        metric = plan.load(leaf.path).default_hooks.checkpoint.save_best
        results = {scheme: [found for run in runs if (found := run.metrics())] for scheme, runs in rows.items()}
        name = dict(net=leaf.net, sr=leaf.sr, scale=leaf.scale, data=leaf.data)
        blocks.append(make_block(name, metric, results))
    work_dir.mkdir(parents=True, exist_ok=True)
    (work_dir / 'table.md').write_text(to_markdown(blocks))
    write_csv(blocks, work_dir / 'table.csv')
    plot(blocks, work_dir / 'table.png')
    return blocks


def main() -> int:
    """Plan, run, write; returns the exit code."""
    args = parse_args()
    plan = Plan(args.work_dir, args.cfg_options, ['--amp'] * args.amp)
    cells = plan_table(plan, find_leaves(args.configs), args.schemes, args.seeds)
    for run in plan.runs.values():
        run.check_options()
    list_runs(plan)
    if args.dry_run:
        return 0
    for run in unfinished(plan):
        check_data(plan.load(run.config))
    for _ in execute_all(plan, args.gpus):
        write_table(plan, cells, args.work_dir)
    blocks = write_table(plan, cells, args.work_dir)
    print(f'\n{to_markdown(blocks)}\nIn {args.work_dir}: table.md, table.csv, table.png', flush=True)
    if missing := unfinished(plan):
        print('\nFailed, see above: ' + ', '.join(map(str, missing)), file=sys.stderr)
    return int(bool(missing))


if __name__ == '__main__':
    with user_errors():
        sys.exit(main())
