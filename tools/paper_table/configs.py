"""The configs of the paper's table: one for each block."""

import glob
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config

from sr4ir_mm.errors import SR4IRError

#: rows in the order of the paper's tables
ROWS = ('H->T', 'L->T', 'S->T', 'T->S', 'S+T', 'SR4IR')


@dataclass(frozen=True)
class PaperConfig:
    """A config of SR4IR, ``<task network>_<SR network>_x<scale>_<data>.py``, for one block of the table."""

    path: Path
    net: str
    sr: str
    scale: int
    data: str

    @classmethod
    def parse(cls, path: str | Path) -> 'PaperConfig | None':
        """Read the name of a file; None if it is the name of another config."""
        match = re.fullmatch(r'([^_]+)_([^_]+)_x(\d+)_([^_]+)\.py', Path(path).name)
        return match and cls(Path(path), match[1], match[2], int(match[3]), match[4])


def find_paper_configs(patterns: Sequence[str]) -> list[PaperConfig]:
    """Return the configs of SR4IR among files and globs.

    Raises:
        SR4IRError: If a file is missing, or none is a config of SR4IR.
    """
    paths = [path for pattern in patterns for path in sorted(glob.glob(pattern)) or [pattern]]
    if missing := [path for path in paths if not Path(path).is_file()]:
        raise SR4IRError(f"Config file '{missing[0]}' not found: give a file, or a glob in quotes.")
    files: dict[Path, str] = {}
    for path in paths:
        files.setdefault(Path(path).parent.resolve() / Path(path).name, path)  # ./a.py is a.py
    found = [config for path in files.values() if (config := PaperConfig.parse(path))]
    if not found:
        raise SR4IRError(
            f"'{paths[0]}' is not a config of SR4IR: their names are <task network>_<SR network>_x<scale>_<data>.py."
        )
    return found


def task_metric(cfg: Config) -> str:
    """Return the metric by which a config selects its best checkpoint.

    Raises:
        SR4IRError: If it does not name one.
    """
    hooks = cfg.get('default_hooks') or {}  # own configs may leave them to MMEngine
    name = (hooks.get('checkpoint') or {}).get('save_best')
    if not isinstance(name, str) or name == 'auto':
        raise SR4IRError(
            f"'{cfg.filename}' must name the task metric: set default_hooks.checkpoint.save_best='mIoU', for example."
        )
    return name
