"""A study: cells of schemes, options, seeds and folds, from a small Python file, and their runs."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config
from paper_table.configs import ROWS, PaperConfig, task_metric
from paper_table.plan import Plan
from paper_table.runs import Run
from paper_table.table import TASK_METRICS

from sr4ir_mm.config.reading import read_config
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models.scheme import scheme_name

_TOP = {'cells', 'seeds', 'folds', 'only_folds', 'options', 'amp'}


@dataclass(frozen=True)
class Cell:
    """Schemes of one config that are trained with the same options.

    Args:
        config (Path): Config of SR4IR.
        schemes (tuple[str]): Schemes, all six by default.
        label (str): What is special about the options; '' for the config as it is.
        options (tuple[str]): ``--cfg-options``, as written.
        seeds (tuple[int]): Seeds of the runs.
        folds (int): Number of folds; 0 for the config's own training and test data.
        numbers (tuple[int]): Numbers of the folds that are run.
        block (str): Title of the table in which the cell has its rows.
    """

    config: Path
    schemes: tuple[str, ...]
    label: str
    options: tuple[str, ...]
    seeds: tuple[int, ...]
    folds: int
    numbers: tuple[int, ...]
    block: str

    def row(self, scheme: str) -> str:
        """Return the name of a row."""
        return f'{scheme}, {self.label}' if self.label else scheme


class Study:
    """The cells of a study file and their runs: all cells with the first seed, then all with the next one.

    Args:
        path (Path): Study file.
        work_dir (Path): Folder of the runs.
        options (Sequence[str]): More ``--cfg-options`` for every run.
        amp (bool): Whether to train with mixed precision; the file may say so too.
        gpus (int): GPUs for each run.

    Raises:
        SR4IRError: If the file makes no sense.
    """

    def __init__(
        self, path: Path, work_dir: Path, options: Sequence[str] = (), amp: bool = False, gpus: int = 1
    ) -> None:
        entries = read_config(path)
        _check_names(entries, _TOP, f"'{path}'")
        self.path, self.work_dir, self.gpus = path, work_dir, gpus
        self.options = (*_texts(entries.get('options', ())), *options)
        self.train_args = ['--amp'] if amp or entries.get('amp') else []
        self.cells = [_read_cell(cell, entries, path) for cell in entries.cells]
        self.plans: dict[tuple, Plan] = {}
        #: in the order of execution
        self.runs: dict[Path, Run] = {}
        #: by block, row and seed, one for each fold
        self.blocks: dict[str, dict[str, dict[int, list[Run]]]] = {}
        self.metrics: dict[str, str] = {}
        for cell, seed in self._rounds():
            self._add(cell, seed)
        for plan in self.plans.values():
            plan.check_options()
        for run in self.runs.values():
            run.check_same()

    def unfinished(self) -> list[Run]:
        """Return the runs that are not done."""
        return [run for run in self.runs.values() if run.status() != 'done']

    def check(self) -> None:
        """Check all runs before the first one; see ``Plan.check``."""
        for plan in self.plans.values():
            for run in plan.unfinished():
                plan.check(run)

    def _rounds(self) -> Iterator[tuple[Cell, int]]:
        for turn in range(max((len(cell.seeds) for cell in self.cells), default=0)):
            yield from ((cell, cell.seeds[turn]) for cell in self.cells if turn < len(cell.seeds))

    def _add(self, cell: Cell, seed: int) -> None:
        """Plan the runs of a cell with one seed."""
        rows = self.blocks.setdefault(cell.block, {})
        for fold in cell.numbers:
            plan = self._plan(cell, fold)
            for scheme in cell.schemes:
                run = plan.add(cell.config, None if scheme == 'SR4IR' else scheme, seed)
                self._add_to_row(rows.setdefault(cell.row(scheme), {}).setdefault(seed, []), run, cell)
            for folder, run in plan.runs.items():
                if self.runs.setdefault(folder, run) is not run:
                    raise SR4IRError(f"Two cells of '{self.path}' share '{folder}': give one of them another label.")
            self._check_metric(cell, task_metric(plan.load(cell.config)))

    def _add_to_row(self, folds: list[Run], run: Run, cell: Cell) -> None:
        """Add the run of a fold, which a cell that is given twice has already."""
        if folds and folds[0].config != run.config:
            raise SR4IRError(
                f"'{folds[0].config}' and '{run.config}' have the same row in the block '{cell.block}' of "
                f"'{self.path}': give one of them a label or another block."
            )
        if run not in folds:
            folds.append(run)

    def _plan(self, cell: Cell, fold: int) -> Plan:
        folds = [f'fold={fold}/{cell.folds}'] if cell.folds else []
        options = (*self.options, *cell.options, *folds)
        folder = self.work_dir / (re.sub(r'[^\w.=-]+', '_', cell.label) or 'plain')
        if (folder, options) not in self.plans:
            self.plans[folder, options] = Plan(folder, options, self.train_args, self.gpus)
        return self.plans[folder, options]

    def _check_metric(self, cell: Cell, metric: str) -> None:
        if metric not in TASK_METRICS:
            raise SR4IRError(
                f"'{cell.config}' has the task metric '{metric}', but studies compare the images of "
                f'{", ".join(TASK_METRICS)}: set default_hooks.checkpoint.save_best to one of them.'
            )
        if self.metrics.setdefault(cell.block, metric) != metric:
            raise SR4IRError(f"The cells of '{cell.block}' have different task metrics: give one another block.")


def is_study(paths: Sequence[str]) -> bool:
    """Return whether the arguments name one study file instead of configs."""
    if len(paths) != 1 or PaperConfig.parse(paths[0]) or not Path(paths[0]).is_file():
        return False
    return 'cells' in read_config(paths[0])


def _read_cell(cell: dict, entries: Config, path: Path) -> Cell:
    _check_names(
        cell, {'config', 'schemes', 'label', 'options', 'seeds', 'folds', 'only_folds', 'block'}, f"A cell of '{path}'"
    )
    config = path.parent / str(cell.get('config'))
    if not config.is_file():
        raise SR4IRError(f"A cell of '{path}' has no config, or one that is missing: '{config}'. Correct it.")
    schemes = tuple(scheme_name(scheme) for scheme in cell.get('schemes', ROWS))
    if others := set(schemes) - set(ROWS):
        raise SR4IRError(f"A cell of '{path}' has the scheme {min(others)}, which is no row of a table: leave it out.")
    options, label = _texts(cell.get('options', ())), str(cell.get('label', ''))
    if options and not label:
        raise SR4IRError(f"A cell of '{path}' has options and no label: name what is special about it.")
    seeds, folds = (cell.get(key, entries.get(key, default)) for key, default in (('seeds', [0]), ('folds', 0)))
    if not isinstance(seeds, (list, tuple)):
        raise SR4IRError(f"seeds={seeds!r} of '{path}' must be a list: write seeds = [{seeds}].")
    numbers = _fold_numbers(cell.get('only_folds', entries.get('only_folds')), folds or 0, path)
    block = str(cell.get('block', config.stem))
    return Cell(config, schemes, label, options, tuple(dict.fromkeys(seeds)), folds or 0, numbers, block)


def _fold_numbers(only: Sequence[int] | None, folds: int, path: Path) -> tuple[int, ...]:
    known = range(1, (folds or 1) + 1)
    only = [only] if isinstance(only, int) else only
    numbers = tuple(known) if only is None else tuple(dict.fromkeys(only))
    if not numbers or not set(numbers) <= set(known) or (only is not None and not folds):
        raise SR4IRError(f"only_folds={only!r} of '{path}' must list some of the {folds} folds, such as [1].")
    return numbers


def _texts(options: Sequence[str]) -> tuple[str, ...]:
    options = [options] if isinstance(options, str) else options
    if wrong := [option for option in options if not isinstance(option, str) or '=' not in option]:
        raise SR4IRError(f"The option {wrong[0]!r} of a study must be a text 'key=value', as of --cfg-options.")
    return tuple(options)


def _check_names(entries: dict, known: set[str], owner: str) -> None:
    for name in set(entries) - known:
        near = difflib.get_close_matches(name, known, 1, 0.8)
        if near or owner.startswith('A cell'):
            raise SR4IRError(f"{owner} has an entry '{name}', and nothing reads it: use {', '.join(sorted(known))}.")
