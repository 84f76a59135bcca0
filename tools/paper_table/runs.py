"""One training and its test: what it is given, where it stands, what it measured."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from sr4ir_mm.config.work_dir import last_checkpoint
from sr4ir_mm.errors import SR4IRError

RESULT = 'result.json'


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
        return {net: source for net, source in self.starts_from.items() if isinstance(source, Run)}

    def cfg_options(self) -> list[str]:
        """What to give to ``--cfg-options`` of the tools."""
        starts = (f'model.{net}.init_cfg.checkpoint={last_checkpoint(run.folder)}' for net, run in self.needs.items())
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
        partial = self.folder / f'{RESULT}.partial'
        partial.write_text(json.dumps(entries, indent=2) + '\n')
        os.replace(partial, self.folder / RESULT)

    def check_same(self) -> None:
        """See that a run that was begun before began with the same config and options.

        Raises:
            SR4IRError: If not.
        """
        stored, now = self._stored(), self._given()
        if (config := stored.get('config')) and Path(config).resolve() != self.config.resolve():
            raise SR4IRError(
                f"The run in '{self.folder}' was made of '{config}', not '{self.config}': give another --work-dir, or "
                'delete that folder.'
            )
        if (then := stored.get('options', now)) != now:
            raise SR4IRError(
                f"The run in '{self.folder}' was made with the options [{' '.join(then)}], not [{' '.join(now)}]: "
                'give the same ones, or another --work-dir, or delete that folder.'
            )

    def _given(self) -> list[str]:
        return sorted([*self.options, *self.train_args])

    def _stored(self) -> dict:
        path = self.folder / RESULT
        return json.loads(path.read_text()) if path.is_file() else {}
