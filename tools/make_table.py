"""The paper's table in one command: python tools/make_table.py 'configs/paper/tv-*_edsr_x8_*.py'

Trains and tests SR4IR and its baselines with each config of SR4IR that is named; other files that a glob matches are
skipped. Writes table.md, table.csv and table.png into the work dir after every run. To continue after an interruption,
give the same command again: finished runs are skipped, others are resumed. The numbers are those of the last epoch, as
in the paper.

A study, python tools/make_table.py STUDY.py, compares schemes and options with seeds and cross-validation; the file
says which. It writes study.json, study.md, study.csv and plots into the work dir at its end.

With --jobs N, N runs are made at once on this machine, with --slurm each in a job of Slurm; what their tools print is
in output.log in the folder of each run. Ctrl-C stops all of them. The command may run in several processes at once,
which share the work. With --report it writes the files from the runs that are done.
"""

import argparse
import os
import signal
import sys
from collections.abc import Collection
from pathlib import Path

from paper_table.configs import ROWS, PaperConfig, find_paper_configs, task_metric
from paper_table.engines import LocalEngine, SlurmEngine
from paper_table.execution import Execution
from paper_table.plan import Plan
from paper_table.progress import progress
from paper_table.runs import Run
from paper_table.study import Study, is_study
from paper_table.table import Block, make_block, to_markdown, write_csv

from sr4ir_mm.config.cli import CfgOptions, Parser, at_least
from sr4ir_mm.errors import SR4IRError, user_errors
from sr4ir_mm.models.scheme import ALIASES
from sr4ir_mm.utils import write_file
from sr4ir_mm.utils.locks import is_locked


class SlurmParameters(CfgOptions):
    """``KEY=VALUE`` of Slurm, whose values may have commas and brackets."""

    def _parse(self, parser: argparse.ArgumentParser, option: str, pair: str, text: str) -> object:
        return self._parse_int_float_bool(text)


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
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument('--dry-run', action='store_true', help='list the runs in order, and do nothing')
    instead.add_argument('--report', action='store_true', help='write the files of what is done, and run nothing')
    parser.add_argument(
        '--jobs', type=at_least(1), metavar='N', help='runs at once; default: 1, with --slurm all that can start'
    )
    parser.add_argument(
        '--slurm',
        nargs='+',
        action=SlurmParameters,
        metavar='KEY=VALUE',
        help='make each run in a job of Slurm: timeout_min=600 partition=gpu ..., as submitit and sbatch name them',
    )
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
    if args.report and (args.jobs or args.slurm):
        raise SR4IRError('--report runs nothing: leave out --jobs and --slurm.')


def list_runs(runs: Collection[Run], at_once: int) -> None:
    """Print the status of every run, in the order of execution, with the label of its cell if a study has several."""
    labels = {run.folder: run.folder.parents[1].name for run in runs}
    several = len(set(labels.values())) > 1
    for i, run in enumerate(runs, 1):
        status = 'running' if is_locked(run.folder) else run.status()
        starts = (f'{part} from {os.path.basename(str(source))}' for part, source in run.starts_from.items())
        print(f'{i:4} {status:7} {f"{labels[run.folder]}: " if several else ""}{run}', *starts, sep='; ')
    print(progress(runs, at_once))


def make_engine(args: argparse.Namespace, work_dir: Path) -> LocalEngine | SlurmEngine:
    """Return where the runs are made."""
    if args.slurm:
        return SlurmEngine(args.slurm, work_dir / 'slurm_jobs', args.jobs, args.gpus)
    return LocalEngine(args.jobs or 1, args.gpus)


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
    write_file(plan.work_dir / 'table.md', to_markdown(blocks))
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
        list_runs(study.runs.values(), args.jobs or 1)
        if args.dry_run:
            return 0
        engine = make_engine(args, work_dir)
        study.check()
        Execution(study.runs.values(), engine, per_image=True).execute()
    from paper_table.study_files import FILES, write_study  # matplotlib
    from paper_table.study_numbers import study_numbers

    text = write_study(study, study_numbers(study))
    print(f'\n{text}\nIn {work_dir}: {", ".join(FILES)}', flush=True)
    return 0 if args.report else _exit_code(study.unfinished())


def run_table(args: argparse.Namespace) -> int:
    """Plan, run and write a table; return the exit code."""
    work_dir = args.work_dir or Path('work_dirs/table')
    plan, rows = Plan(work_dir, args.cfg_options, ['--amp'] * args.amp, args.gpus), {}
    configs = find_paper_configs(args.configs)
    for seed in dict.fromkeys(args.seeds or [None]):  # all runs of the first seed come first
        for config in configs:
            rows.setdefault(config, []).append(plan.add_paper_config(config, args.schemes, seed))
    plan.check_options()
    for run in plan.runs.values():
        run.check_same()
    if not args.report:
        list_runs(plan.runs.values(), args.jobs or 1)
        if args.dry_run:
            return 0
        engine = make_engine(args, work_dir)
        for run in plan.unfinished():
            plan.check(run)
        write_table(plan, rows)  # a mistake ends it now
        Execution(plan.runs.values(), engine, after=lambda: write_table(plan, rows)).execute()
    blocks = write_table(plan, rows)
    print(f'\n{to_markdown(blocks)}\nIn {work_dir}: table.md, table.csv, table.png', flush=True)
    return 0 if args.report else _exit_code(plan.unfinished())


def _exit_code(failed: list[Run]) -> int:
    if failed:
        print(f'\nFailed, see above: {", ".join(map(str, failed))}', file=sys.stderr)
    return int(bool(failed))


def main() -> int:
    """Plan, run and write; return the exit code."""
    args = parse_args()
    check_options(args)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the runs are stopped
    try:
        return run_study(args) if is_study(args.configs) else run_table(args)
    except KeyboardInterrupt:
        print('\nStopped. The same command goes on.', file=sys.stderr)
        return 130
    finally:
        signal.signal(signal.SIGTERM, before)  # pools of processes that are forked later would inherit it


if __name__ == '__main__':
    with user_errors():
        sys.exit(main())
