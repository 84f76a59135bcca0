"""One training and its test: arguments, status, metrics."""

import functools
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from mmengine.config import Config
from paper_table.entries import deciding_entries, differences

from sr4ir_mm.config import last_checkpoint
from sr4ir_mm.errors import SR4IRError

RESULT = 'result.json'


@dataclass(frozen=True)
class Run:
    """One training and its test.

    Args:
        config (Path): Config file.
        scheme (str, optional): Scheme to derive from it; None for the config's own.
        seed (int): Seed of the run.
        folder (Path): Folder for checkpoints, logs, the test and the result, ``<name of the run>/seed<seed>``.
        options (tuple[str]): User's ``--cfg-options``, as written.
        train_args (tuple[str]): More arguments for ``tools/train.py``.
        starts_from (dict): What the network 'sr' or 'task' starts from: another run, or a file or URL.
        gpus (int): GPUs for the run.
        cfg (Config): Complete config, but for the seed and what the networks start from.
    """

    config: Path
    scheme: str | None
    seed: int
    folder: Path
    options: tuple[str, ...] = ()
    train_args: tuple[str, ...] = ()
    starts_from: dict[str, 'Run | str'] = field(default_factory=dict)
    gpus: int = 1
    cfg: Config = field(default_factory=Config)

    def __str__(self) -> str:
        return f'{self.folder.parent.name} seed {self.seed}'

    @property
    def needs(self) -> dict[str, 'Run']:
        """The runs that this one starts from, by network."""
        return {net: source for net, source in self.starts_from.items() if isinstance(source, Run)}

    @functools.cached_property
    def entries(self) -> dict:
        """The entries of the config that decide the numbers."""
        return deciding_entries(self.cfg)

    def config_args(self) -> list[str]:
        """Return the arguments of the tools that name the config."""
        return [str(self.config), *(['--scheme', self.scheme] if self.scheme else [])]

    def cfg_options(self) -> list[str]:
        """Return the values of the tools' ``--cfg-options``."""
        starts = {f'model.{net}.init_cfg.checkpoint': last_checkpoint(run.folder) for net, run in self.needs.items()}
        # a start that the user named by the file of a run of this table is that run
        options = [option for option in self.options if option.partition('=')[0] not in starts]
        return [*options, f'randomness.seed={self.seed}', *(f'{key}={value}' for key, value in starts.items())]

    def status(self) -> str:
        """Return 'done', 'resume' (there is a checkpoint) or 'new'."""
        if self.metrics() is not None:
            return 'done'
        return 'resume' if last_checkpoint(self.folder) else 'new'

    def metrics(self) -> dict | None:
        """Return the metrics of the test, or None if the run is not done."""
        return self._stored().get('metrics')

    @property
    def image_file(self) -> Path:
        """The file with the results of each image of the test, in a study."""
        return self.folder / 'test' / 'images.npz'

    def made(self) -> dict:
        """Return revision, machine, versions and, if it was not interrupted, seconds of the run; empty if not done."""
        return self._stored().get('made') or {}

    def store(self, metrics: dict | None = None, **made: object) -> None:
        """Write with which options the run began and, if it is done, its metrics and where and of what it was made.

        The file is never incomplete.
        """
        entries = dict(
            id=self.identity() or uuid4().hex, config=str(self.config), scheme=self.scheme, seed=self.seed,
            options=self._given(), starts={net: run.identity() for net, run in self.needs.items()},
            metrics=metrics, made=made, entries=self.entries,
        )  # fmt: skip
        partial = self.folder / f'{RESULT}.partial'
        partial.write_text(json.dumps(entries, indent=2) + '\n')
        os.replace(partial, self.folder / RESULT)

    def check_same(self) -> None:
        """Check that an earlier start of the run had the same options and config, and started from the same runs.

        Raises:
            SR4IRError: If not.
        """
        if change := next(self._changes(self._stored()), None):
            raise SR4IRError(
                f"The run in '{self.folder}' {change}. Restore that, or give another --work-dir, or delete that folder."
            )

    def _changes(self, stored: dict) -> Iterator[str]:
        config, now = stored.get('config'), self._given()
        # a run without an SR network may have started with the config of another one
        if config and Path(config).resolve().parent != self.config.resolve().parent:
            yield f"was made with '{config}', not '{self.config}'"
        if (then := stored.get('options', now)) != now:
            yield f'was made with the options [{" ".join(then)}], not [{" ".join(now)}]'
        for difference in differences(stored.get('entries', self.entries), self.entries):
            yield f'was made with another config: {difference}'
        for net, run in self.needs.items():
            if stored and stored.get('starts', {}).get(net) != run.identity():
                yield f'started from another run of {run}, which is gone'

    def _given(self) -> list[str]:
        return sorted([*self.options, *self.train_args, *([f'--gpus {self.gpus}'] if self.gpus > 1 else [])])

    def identity(self) -> str | None:
        """Return what tells this run from one that is made again in the same folder, or None if it has not begun."""
        return self._stored().get('id')

    def _stored(self) -> dict:
        path = self.folder / RESULT
        return json.loads(path.read_text()) if path.is_file() else {}
