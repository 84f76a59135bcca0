"""The configs of the paper's table: one for each block."""

import glob
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from sr4ir_mm.config.nodes import type_name
from sr4ir_mm.errors import SR4IRError

#: prefixes that metrics have without one of a config
_PREFIXES = {'CocoMetric': 'coco', 'Accuracy': 'accuracy'}
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
    """Return the metric of a table: the one by which a training of a config selects its best checkpoint.

    Where ``save_best`` names none, it is the first value of the first metric, and mIoU of IoUMetric.

    Raises:
        SR4IRError: If the config does not say.
    """
    hooks = cfg.get('default_hooks') or {}  # own configs may leave them to MMEngine
    name = (hooks.get('checkpoint') or {}).get('save_best')
    name = name[0] if isinstance(name, (list, tuple)) and len(name) == 1 else name
    name = _first_value(cfg.get('val_evaluator')) if name in (None, 'auto') else name
    if not isinstance(name, str):
        raise SR4IRError(
            f"'{cfg.filename}' must name the task metric: set default_hooks.checkpoint.save_best='mIoU', for example."
        )
    return name


def _first_value(evaluator: dict | list | None) -> str | None:
    """Return the name that the first metric of an evaluator gives to its first value, if it is one of a table."""
    metric = _first(evaluator)
    if not isinstance(metric, dict):
        return None
    kind, measured = type_name(metric.get('type')), _first(metric.get('metric', 'bbox'))
    if metric.get('prefix') not in (None, _PREFIXES.get(kind)):
        return None
    if kind == 'CocoMetric' and measured in ('bbox', 'segm') and 'mAP' in (metric.get('metric_items') or ['mAP']):
        return f'coco/{measured}_mAP'
    if kind == 'IoUMetric':
        return _first(metric.get('iou_metrics', 'mIoU'))
    is_top1 = kind == 'Accuracy' and _first(metric.get('topk', 1)) == 1 and metric.get('thrs', 0.0) == 0.0
    return 'accuracy/top1' if is_top1 else None


def _first(value: Any) -> Any:
    """Return the first element of a list, or the only one, which needs no list in configs."""
    return next(iter(value), None) if isinstance(value, (list, tuple)) else value
