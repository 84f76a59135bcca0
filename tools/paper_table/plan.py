"""The runs behind the paper's table, and what each one needs first."""

import argparse
import copy
import functools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from mmengine.config import Config
from paper_table.configs import ROWS, PaperConfig
from paper_table.entries import deciding_entries
from paper_table.runs import Run

from sr4ir_mm.config import add_cfg_options, check_data, check_weights, load_run
from sr4ir_mm.config.nodes import find_all
from sr4ir_mm.config.schemes import run_name
from sr4ir_mm.errors import SR4IRError


class Plan:
    """The runs of a table, each one after those that it starts from.

    The SR network is pre-trained (scheme 'S') once for all seeds of the table, with its config's seed; not at all if
    the file exists that a config names for it. Other runs have the seed of the run that needs them.

    Args:
        work_dir (Path): Folder of the runs, ``<work_dir>/<name of the run>/seed<seed>``.
        options (Sequence[str]): ``--cfg-options`` for every run.
        train_args (Sequence[str]): More arguments for every training.
        gpus (int): GPUs for each run.
    """

    def __init__(
        self, work_dir: Path, options: Sequence[str] = (), train_args: Sequence[str] = (), gpus: int = 1
    ) -> None:
        self.work_dir, self.options, self.train_args, self.gpus = work_dir, tuple(options), tuple(train_args), gpus
        self.runs: dict[Path, Run] = {}  # by folder, in the order of execution

    @functools.cache  # noqa: B019
    def load(self, config: Path, scheme: str | None = None) -> Config:
        """Load the config of a run with the options that are for it."""
        return load_run(config, scheme, _parse(self._options(config, scheme)))

    @functools.cache  # noqa: B019
    def _options(self, config: Path, scheme: str | None) -> tuple[str, ...]:
        """Return the options but for those of a network that the run does not have."""
        model = load_run(config, scheme).model
        missing = tuple(f'model.{net}.' for net in ('sr', 'task') if net in model and model[net] is None)
        for option in self.options:
            if 'model.task.' in missing and option.startswith('model.task.data_preprocessor'):
                raise SR4IRError(
                    f'--cfg-options {option} would not reach the pre-training of the super-resolution network, '
                    'which has no task network: set it in the config.'
                )
        return tuple(option for option in self.options if not option.startswith(missing))

    def add(self, config: Path, scheme: str | None = None, seed: int | None = None) -> Run:
        """Plan a run and what it needs, unless it is planned already.

        Args:
            config (Path): Config file.
            scheme (str, optional): Scheme to derive from it; by default the config's own.
            seed (int, optional): Seed of the run; by default the config's.

        Raises:
            SR4IRError: If a config in another folder, or one with another task network, has a run of the same name.
        """
        cfg = self.load(config, scheme)
        if seed is None:
            seed = cfg.get('randomness', {}).get('seed') or 0
        folder = self.work_dir / Path(cfg.filename).stem / f'seed{seed}'
        if folder not in self.runs:
            starts = {net: self._source(file, config, folder, seed) for net, file in _starts(cfg)}
            options = self._options(config, scheme)
            self.runs[folder] = Run(config, scheme, seed, folder, options, self.train_args, starts, self.gpus, cfg)
        run = self.runs[folder]
        if run.config.resolve() != config.resolve() and not self._is_shared(run, config):
            raise SR4IRError(
                f"'{run.config}' and '{config}' would share '{folder}', but are different: rename one, or make two "
                'tables with different --work-dir.'
            )
        return run

    def add_paper_config(
        self, config: PaperConfig, schemes: Sequence[str] | None = None, seed: int | None = None
    ) -> dict[str, Run]:
        """Plan the runs of a block of the table, by scheme; by default all rows."""
        rows = [scheme for scheme in ROWS if scheme in (schemes or ROWS)]
        return {scheme: self.add(config.path, None if scheme == 'SR4IR' else scheme, seed) for scheme in rows}

    def unfinished(self) -> list[Run]:
        """Return the runs that are not done."""
        return [run for run in self.runs.values() if run.status() != 'done']

    def check_options(self) -> None:
        """Check that every option is for at least one run.

        Raises:
            SR4IRError: If not.
        """
        for option in self.options:
            if not any(option in run.options for run in self.runs.values()):
                raise SR4IRError(f'--cfg-options {option}: no run of this table has that network: leave it out.')

    def check(self, run: Run) -> None:
        """Check that a run's data exist, and the files that it starts from; other runs may still have to write those.

        Raises:
            SR4IRError: If something is missing.
        """
        cfg = copy.deepcopy(self.load(run.config, run.scheme))
        for net in run.needs:
            del cfg.model[net]['init_cfg']
        check_data(cfg)
        check_weights(cfg)

    def _source(self, file: str, config: Path, folder: Path, seed: int) -> Run | str:
        """Return the run that writes a file from which a run in ``folder`` starts, or the file."""
        name = re.fullmatch(r'work_dirs/([^/]+)/(?:epoch|iter)_\d+\.pth', file)
        found = name and self._find_run(name[1], config)
        if not found or Path(self.load(*found).filename).stem == folder.parent.name:
            return file
        if self.load(*found).model.get('scheme') != 'S':
            return self.add(*found, seed)
        # a file of other folds, or of none, has seen the images that this fold tests
        return file if Path(file).is_file() and not list(find_all(self.load(config), 'fold')) else self.add(*found)

    def _find_run(self, name: str, config: Path) -> tuple[Path, str | None] | None:
        """Return the config and the scheme of a run from which a run of ``config`` may start."""
        stem = Path(self.load(config).filename).stem  # with that of the fold
        for scheme in ('S', 'H->T'):
            if run_name(stem, scheme) == name:
                return config, scheme
        path = config.with_name(f'{name}.py')
        return (path, None) if path.is_file() else None

    def _is_shared(self, run: Run, config: Path) -> bool:
        """Return whether a config in the same folder, with another SR network, has the same run."""
        if run.config.resolve().parent != config.resolve().parent:
            return False
        return not run.cfg.model.get('sr') and run.entries == deciding_entries(self.load(config, run.scheme))


def _parse(options: Sequence[str]) -> dict:
    """Parse ``key=value`` texts as ``--cfg-options`` does."""
    parser = argparse.ArgumentParser()
    add_cfg_options(parser)
    return parser.parse_args(['--cfg-options', *options]).cfg_options if options else {}


def _starts(cfg: Config) -> Iterator[tuple[str, str]]:
    """Yield the networks that start from a file, with the file."""
    for net in ('sr', 'task'):
        init_cfg = (cfg.model.get(net) or {}).get('init_cfg')
        if isinstance(init_cfg, dict) and init_cfg.get('checkpoint'):
            yield net, init_cfg['checkpoint']
