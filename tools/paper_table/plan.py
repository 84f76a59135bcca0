"""The runs behind the paper's table: which config makes which row, and what it needs first."""

import argparse
import copy
import functools
import glob
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config, DictAction
from paper_table.runs import Run

from sr4ir_mm.config import check_data, check_weights, load_config
from sr4ir_mm.errors import SR4IRError

#: the paper's schemes in the order of its tables, and the names of their configs
SCHEMES = {
    'H->T': '{net}_{data}_h2t',
    'L->T': '{net}_x{scale}_{data}_l2t',
    'S->T': '{net}_{sr}_x{scale}_{data}_s2t',
    'T->S': '{net}_{sr}_x{scale}_{data}_t2s',
    'S+T': '{net}_{sr}_x{scale}_{data}_st',
    'SR4IR': '{net}_{sr}_x{scale}_{data}',
}


@dataclass(frozen=True)
class Leaf:
    """A config of SR4IR, ``<net>_<sr>_x<scale>_<data>.py``, which stands for its block of the table."""

    path: Path
    net: str
    sr: str
    scale: int
    data: str

    @classmethod
    def parse(cls, path: str | Path) -> 'Leaf | None':
        """Read the name of a file; None if it is another scheme's config."""
        match = re.fullmatch(r'([^_]+)_([^_]+)_x(\d+)_([^_]+)\.py', Path(path).name)
        return match and cls(Path(path), match[1], match[2], int(match[3]), match[4])

    def config(self, scheme: str) -> Path | None:
        """The config of a scheme, from the leaf's folder or ``../baselines``; None if there is none."""
        return _find_config(SCHEMES[scheme].format(**vars(self)), self.path.parent)


def find_leaves(patterns: Sequence[str]) -> list[Leaf]:
    """The SR4IR configs among files and globs.

    Raises:
        SR4IRError: If a file is missing, or there are no SR4IR configs at all.
    """
    paths = [path for pattern in patterns for path in sorted(glob.glob(pattern)) or [pattern]]
    if missing := [path for path in paths if not Path(path).is_file()]:
        raise SR4IRError(f"There is no config file '{missing[0]}'.")
    leaves = [leaf for path in dict.fromkeys(paths) if (leaf := Leaf.parse(path))]
    if not leaves:
        raise SR4IRError(f"'{paths[0]}' is no SR4IR config: their names are <net>_<sr>_x<scale>_<data>.py.")
    return leaves


class Plan:
    """The runs to be made for a table, each one after those that it starts from.

    S alone (scheme 'S') is pre-training: it is trained once, with its config's seed, for all seeds of the table; or
    not at all if the file that a config names for it is there. Other runs have the seed of the run that needs them.

    Args:
        work_dir (Path): A run lies in ``<work_dir>/<name of the config>/seed<seed>``.
        options (Sequence[str]): ``--cfg-options`` for every run.
        train_args (Sequence[str]): More arguments for every training.
    """

    def __init__(self, work_dir: Path, options: Sequence[str] = (), train_args: Sequence[str] = ()) -> None:
        self.work_dir, self.options, self.train_args = work_dir, tuple(options), tuple(train_args)
        self.runs: dict[Path, Run] = {}  # by folder, in the order in which they are to be made
        self.load = functools.cache(lambda config: load_config(str(config), _parse(self.options)))

    def add(self, config: Path, seed: int | None = None) -> Run:
        """Plan a run and what it needs, unless it is planned already; the default seed is the config's.

        Raises:
            SR4IRError: If another config has the same name, and so the same folder.
        """
        if seed is None:
            seed = self.load(config).get('randomness', {}).get('seed') or 0
        folder = self.work_dir / config.stem / f'seed{seed}'
        if folder not in self.runs:
            starts = {net: self._source(file, config, seed) for net, file in _starts(self.load(config))}
            self.runs[folder] = Run(config, seed, folder, self.options, self.train_args, starts)
        run = self.runs[folder]
        if run.config.resolve() != config.resolve():
            raise SR4IRError(
                f"'{run.config}' and '{config}' would share '{folder}': rename one, or make two tables with different "
                '--work-dir.'
            )
        return run

    def add_leaf(self, leaf: Leaf, schemes: Sequence[str] | None = None, seed: int | None = None) -> dict[str, Run]:
        """Plan the runs of a leaf, by scheme; the default schemes are those that have a config.

        Raises:
            SR4IRError: If one of ``schemes`` has no config.
        """
        configs = {scheme: leaf.config(scheme) for scheme in SCHEMES if scheme in (schemes or SCHEMES)}
        if schemes and (missing := [scheme for scheme, config in configs.items() if not config]):
            raise SR4IRError(f"'{leaf.path}' has no config of {missing[0]}, beside it or in ../baselines.")
        return {scheme: self.add(config, seed) for scheme, config in configs.items() if config}

    def unfinished(self) -> list[Run]:
        """The runs that are not done."""
        return [run for run in self.runs.values() if run.status() != 'done']

    def check(self, run: Run) -> None:
        """See that a run's data are there, and the files that it starts from; those of other runs may come later.

        Raises:
            SR4IRError: If not.
        """
        cfg = copy.deepcopy(self.load(run.config))
        for net in run.needs:
            del cfg.model[net]['init_cfg']
        check_data(cfg)
        check_weights(cfg)

    def _source(self, file: str, config: Path, seed: int) -> Run | str:
        name = re.fullmatch(r'work_dirs/([^/]+)/(?:epoch|iter)_\d+\.pth', file)
        source = name and _find_config(name[1], config.parent)
        if not source or source == config:
            return file
        if self.load(source).model.get('scheme') != 'S':
            return self.add(source, seed)
        return file if Path(file).is_file() else self.add(source)


def task_metric(cfg: Config) -> str:
    """The metric by which a config selects its best checkpoint.

    Raises:
        SR4IRError: If it does not name one.
    """
    name = cfg.default_hooks.checkpoint.get('save_best')
    if not isinstance(name, str) or name == 'auto':
        raise SR4IRError(f"'{cfg.filename}' must name the task metric: default_hooks.checkpoint.save_best='mIoU', say.")
    return name


def _find_config(stem: str, folder: Path) -> Path | None:
    places = (folder / f'{stem}.py', folder.parent / 'baselines' / f'{stem}.py')
    return next((path for path in places if path.is_file()), None)


def _parse(options: Sequence[str]) -> dict:
    """``key=value`` texts as ``--cfg-options`` reads them."""
    parser = argparse.ArgumentParser()
    parser.add_argument('options', nargs='*', action=DictAction)
    return parser.parse_args(options).options or {}


def _starts(cfg: Config) -> Iterator[tuple[str, str]]:
    """Which nets start from which files."""
    for net in ('sr', 'task'):
        init_cfg = (cfg.model.get(net) or {}).get('init_cfg')
        if isinstance(init_cfg, dict) and init_cfg.get('checkpoint'):
            yield net, init_cfg['checkpoint']
