"""The paper's table in one command: python tools/make_table.py 'configs/paper/tv-*_edsr_x8_*.py'

Trains and tests SR4IR and its baselines with each config of SR4IR that is named; other files that a glob matches are
skipped. Writes table.md, table.csv and table.png into the work dir after every run. To continue after an interruption,
give the same command again: finished runs are skipped, others are resumed. The numbers are those of the last epoch, as
in the paper.

A study, python tools/make_table.py STUDY.py, compares schemes and options with seeds and cross-validation; the file
says which. It writes study.json, study.md, study.csv and plots into the work dir at its end, or with --report from the
runs that are done. The command may run in several processes at once, which share the work.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Collection, Container, Iterator
from pathlib import Path

from paper_table.configs import ROWS, PaperConfig, find_paper_configs, task_metric
from paper_table.plan import Plan
from paper_table.runs import Run
from paper_table.study import Study, is_study, remaining_time
from paper_table.table import Block, make_block, to_markdown, write_csv

from sr4ir_mm.analysis.benchmark.environment import environment
from sr4ir_mm.config import last_checkpoint, read_metrics
from sr4ir_mm.config.cli import Parser, at_least
from sr4ir_mm.errors import SR4IRError, user_errors
from sr4ir_mm.models.scheme import ALIASES
from sr4ir_mm.utils.locks import LockedError, locked

TOOLS = Path(__file__).resolve().parent
#: seconds until a study looks again for runs that another process has made
POLL = 30


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = Parser(description=__doc__)
    parser.add_argument(
        'configs',
        nargs='+',
        help='configs of SR4IR, <task network>_<SR network>_x<scale>_<data>.py, or globs of them; or one study file',
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
    parser.add_argument(
        '--work-dir', type=Path, help='folder of all runs; default: work_dirs/table, or that of the name of a study'
    )
    parser.add_argument('--dry-run', action='store_true', help='list the runs in order, and do nothing')
    parser.add_argument('--report', action='store_true', help='write the files of a study, and run nothing')
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


def list_runs(runs: Collection[Run]) -> None:
    """Print the status of every run, in the order of execution, with the label of its cell if a study has several."""
    labels = {run.folder: run.folder.parents[1].name for run in runs}
    several = len(set(labels.values())) > 1
    for i, run in enumerate(runs, 1):
        starts = (f'{part} from {os.path.basename(str(source))}' for part, source in run.starts_from.items())
        print(f'{i:4} {run.status():7} {f"{labels[run.folder]}: " if several else ""}{run}', *starts, sep='; ')


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


def execute(run: Run, place: str, per_image: bool = False) -> None:
    """Train, from the last checkpoint if there is one, and test the last epoch; store where and of what it was made."""
    with locked(run.folder) as lock:
        if (status := run.status()) == 'done':  # another process has just made it
            return
        print(f'\n===== {place} {run} ({status}): {run.folder}', flush=True)
        run.store()
        start = time.monotonic()
        options = ['--cfg-options', *run.cfg_options()]
        config, test_dir = run.config_args(), run.folder / 'test'
        images = ['--per-image', run.image_file] if per_image else []
        call('train.py', run.gpus, lock, *config, '--work-dir', run.folder, *run.train_args, '--resume', *options)
        checkpoint = last_checkpoint(run.folder)
        call('test.py', run.gpus, lock, *config, checkpoint, '--work-dir', test_dir, *images, *options)
        if (metrics := read_metrics(test_dir)) is None:
            raise SR4IRError(f"tools/test.py left no metrics in '{test_dir}': see its output above.")
        seconds = round(time.monotonic() - start) if status == 'new' else None
        run.store(metrics, seconds=seconds, **environment())


def check_needs(run: Run, failed: Container[Path], study: bool) -> None:
    """Check that the runs that a run starts from have not failed and, in a study, that no other process makes them."""
    if broken := [need for need in run.needs.values() if need.folder in failed]:
        raise SR4IRError(f'It needs {broken[0]}, which failed.')
    if study and (missing := [need for need in run.needs.values() if need.status() != 'done']):
        raise LockedError(f'It needs {missing[0]}, at which another process works.')


def execute_all(runs: Collection[Run], study: bool = False) -> Iterator[Run]:
    """Execute the runs that are not done, and yield each one. After a failure, runs that do not need it continue.

    Args:
        runs (Collection[Run]): Runs in order.
        study (bool): Whether to keep the results of each image, and to leave the runs at which other processes work
            to these; they are waited for. Otherwise such a run fails.
    """
    failed: set[Path] = set()
    left = dict(enumerate(runs, 1))
    while left:
        waiting = {}
        for i, run in left.items():
            if run.status() == 'done':
                continue
            try:
                check_needs(run, failed, study)
                execute(run, f'{i}/{len(runs)}', study)
            except SR4IRError as error:
                if study and isinstance(error, LockedError):
                    waiting[i] = run
                    continue
                print(f'\n===== {run} failed: {error}', file=sys.stderr, flush=True)
                failed.add(run.folder)
            yield run
        if len(waiting) == len(left):
            time.sleep(POLL)  # other processes make these
        left = waiting


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


def run_study(args: argparse.Namespace) -> int:
    """Plan, run and report a study; return the exit code."""
    if args.schemes or args.seeds:
        raise SR4IRError('A study file says which schemes and seeds are run: leave out --schemes and --seeds.')
    path = Path(args.configs[0])
    work_dir = args.work_dir or Path('work_dirs') / path.stem
    study = Study(path, work_dir, args.cfg_options, args.amp, args.gpus)
    if not args.report:
        list_runs(study.runs.values())
        print(remaining_time(study))
        if args.dry_run:
            return 0
        study.check()
        for _ in execute_all(study.runs.values(), study=True):
            print(f'\n===== {remaining_time(study)}', flush=True)
    from paper_table.study_files import FILES, write_study  # matplotlib
    from paper_table.study_numbers import study_numbers

    text = write_study(study, study_numbers(study))
    print(f'\n{text}\nIn {work_dir}: {", ".join(FILES)}', flush=True)
    return 0 if args.report else _exit_code(study.unfinished())


def _exit_code(failed: list[Run]) -> int:
    if failed:
        print(f'\nFailed, see above: {", ".join(map(str, failed))}', file=sys.stderr)
    return int(bool(failed))


def main() -> int:
    """Plan, run and write; return the exit code."""
    args = parse_args()
    check_options(args)
    if is_study(args.configs):
        return run_study(args)
    if args.report:
        raise SR4IRError('--report is for a study: name one study file, or leave it out.')
    work_dir = args.work_dir or Path('work_dirs/table')
    plan, rows = Plan(work_dir, args.cfg_options, ['--amp'] * args.amp, args.gpus), {}
    configs = find_paper_configs(args.configs)
    for seed in dict.fromkeys(args.seeds or [None]):  # all runs of the first seed come first
        for config in configs:
            rows.setdefault(config, []).append(plan.add_paper_config(config, args.schemes, seed))
    plan.check_options()
    for run in plan.runs.values():
        run.check_same()
    list_runs(plan.runs.values())
    if args.dry_run:
        return 0
    for run in plan.unfinished():
        plan.check(run)
    blocks = write_table(plan, rows)
    for _ in execute_all(plan.runs.values()):
        blocks = write_table(plan, rows)
    print(f'\n{to_markdown(blocks)}\nIn {work_dir}: table.md, table.csv, table.png', flush=True)
    return _exit_code(plan.unfinished())


if __name__ == '__main__':
    with user_errors():
        sys.exit(main())
