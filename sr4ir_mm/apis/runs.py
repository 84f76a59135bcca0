"""The runs behind the paper's table: which config makes which row, what a run starts from, and what is done."""

import argparse
import functools
import json
import os
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmengine.config import Config, DictAction

from ..errors import SR4IRError
from .config import load_config

#: the paper's schemes in the order of its tables, and the names of their configs
SCHEMES = {
    'H->T': '{net}_{data}_h2t',
    'L->T': '{net}_x{scale}_{data}_l2t',
    'S->T': '{net}_{sr}_x{scale}_{data}_s2t',
    'T->S': '{net}_{sr}_x{scale}_{data}_t2s',
    'S+T': '{net}_{sr}_x{scale}_{data}_st',
    'SR4IR': '{net}_{sr}_x{scale}_{data}',
}
RESULT = 'result.json'


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
        """The config of a scheme, from the leaf's folder or ``../baselines``."""
        return find_config(SCHEMES[scheme].format(**vars(self)), self.path.parent)

    def __str__(self) -> str:
        return f'{self.net}, {self.sr}, x{self.scale}, {self.data}'


def find_config(stem: str, folder: Path) -> Path | None:
    """Find ``<stem>.py`` in a folder or in the folder ``baselines`` beside it."""
    places = (folder / f'{stem}.py', folder.parent / 'baselines' / f'{stem}.py')
    return next((path for path in places if path.is_file()), None)


@dataclass(frozen=True)
class Run:
    """One training and its test.

    Args:
        config (Path): Config file.
        seed (int): Of the run.
        folder (Path): For checkpoints, logs, the test and the result.
        options (tuple[str]): The user's ``--cfg-options``, as they were written.
        train_args (tuple[str]): More arguments for ``tools/train.py``.
        starts_from (dict): What the net 'sr' or 'task' starts from: another run, or a file or URL.
    """

    config: Path
    seed: int
    folder: Path
    options: tuple[str, ...] = ()
    train_args: tuple[str, ...] = ()
    starts_from: dict[str, 'Run | str'] = field(default_factory=dict)

    def __str__(self) -> str:
        return f'{self.config.stem} seed {self.seed}'

    @property
    def needs(self) -> dict[str, 'Run']:
        """The runs that this one starts from, by net."""
        return {part: source for part, source in self.starts_from.items() if isinstance(source, Run)}

    def cfg_options(self) -> list[str]:
        """What to give to ``--cfg-options`` of the tools."""
        starts = (f'model.{part}.init_cfg.checkpoint={last_checkpoint(run.folder)}' for part, run in self.needs.items())
        return [*self.options, f'randomness.seed={self.seed}', *starts]

    def status(self) -> str:
        """'done', 'resume' (there is a checkpoint) or 'new'."""
        if self.metrics() is not None:
            return 'done'
        return 'resume' if last_checkpoint(self.folder) else 'new'

    def metrics(self) -> dict | None:
        """The metrics of the test, or None if the run is not done."""
        return self._stored().get('metrics')

    def store(self, metrics: dict | None = None) -> None:
        """Note with which options the run began or, with its metrics, that it is done. There is no half of a file."""
        entries = dict(config=str(self.config), seed=self.seed, options=self._given(), metrics=metrics)
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / f'{RESULT}.partial'
        partial.write_text(json.dumps(entries, indent=2) + '\n')
        os.replace(partial, self.folder / RESULT)

    def check_options(self) -> None:
        """See that a run that was begun began with the same options.

        Raises:
            SR4IRError: If not.
        """
        then, now = self._stored().get('options', self._given()), self._given()
        if then != now:
            raise SR4IRError(
                f"The run in '{self.folder}' was made with the options [{' '.join(then)}], not [{' '.join(now)}]: "
                'give the same ones, or another --work-dir, or delete that folder.'
            )

    def _given(self) -> list[str]:
        return sorted([*self.options, *self.train_args])

    def _stored(self) -> dict:
        path = self.folder / RESULT
        return json.loads(path.read_text()) if path.is_file() else {}


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
        self.runs: dict[Path, Run] = {}
        self.load = functools.cache(lambda config: load_config(str(config), parse_options(options)))

    def add(self, config: Path, seed: int | None = None) -> Run:
        """Plan a run and what it needs, unless it is planned already; the default seed is the config's."""
        if seed is None:
            seed = self.load(config).get('randomness', {}).get('seed') or 0
        folder = self.work_dir / config.stem / f'seed{seed}'
        if folder not in self.runs:
            starts = {part: self._source(file, config, seed) for part, file in _starts(self.load(config))}
            self.runs[folder] = Run(config, seed, folder, self.options, self.train_args, starts)
        return self.runs[folder]

    def _source(self, file: str, config: Path, seed: int) -> Run | str:
        name = re.fullmatch(r'work_dirs/([^/]+)/(?:epoch|iter)_\d+\.pth', file)
        source = name and find_config(name[1], config.parent)
        if not source:
            return file
        if self.load(source).model.scheme != 'S':
            return self.add(source, seed)
        return file if Path(file).is_file() else self.add(source)


def parse_options(options: Sequence[str]) -> dict:
    """Read ``key=value`` texts as ``--cfg-options`` does."""
    parser = argparse.ArgumentParser()
    parser.add_argument('options', nargs='*', action=DictAction)
    return parser.parse_args(list(options)).options or {}


def last_checkpoint(folder: Path) -> Path | None:
    """The latest checkpoint in a folder that was written to its end, or None.

    MMEngine's ``last_checkpoint`` is not enough: the file that it names is written anew if it is the best, too.
    """
    files = [*folder.glob('epoch_*.pth'), *folder.glob('iter_*.pth')]
    files.sort(key=lambda path: int(path.stem.rpartition('_')[2]), reverse=True)
    return next((path for path in files if zipfile.is_zipfile(path)), None)


def test_metrics(folder: Path) -> dict:
    """What the latest test with this work dir measured."""
    newest = max(folder.glob('*/*.json'), key=lambda path: path.stat().st_mtime)
    return json.loads(newest.read_text().splitlines()[-1])


def _starts(cfg: Config) -> Iterator[tuple[str, str]]:
    """Which nets start from which files."""
    for part in ('sr', 'task'):
        init_cfg = (cfg.model.get(part) or {}).get('init_cfg')
        if isinstance(init_cfg, dict) and init_cfg.get('checkpoint'):
            yield part, init_cfg['checkpoint']
