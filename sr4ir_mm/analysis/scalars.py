"""Values that MMEngine logged during a training: losses and metrics."""

import copy
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from ..config.runs import run_logs
from ..errors import SR4IRError
from ..utils.files import read_json_lines

_POSITION = ('epoch', 'iter', 'step')
#: values that are not losses or metrics; :func:`select` returns them only for patterns
_OTHER = ('time', 'data_time', 'memory', 'lr', '*.lr', 'momentum', '*.momentum', 'base_lr', '*.base_lr')


@dataclass
class Curve:
    """One logged value over a training.

    Args:
        unit (str): Unit of x, 'iteration' or 'epoch'.
        measured (bool): Whether a validation measured the value.
        x (list[float]): Positions, ascending.
        y (list[float]): Values, as many; some may be nan.

    Example:
        >>> curve = read_curves(Path('work_dirs/fcn-tiny_edsr-tiny_x4_demo'))['mIoU']
        >>> curve.unit, curve.x[-1], curve.y[-1]
    """

    unit: str
    measured: bool = False
    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)


def read_curves(work_dir: Path) -> dict[str, Curve]:
    """Read the logged values of a work dir, from its files ``vis_data/scalars.json``.

    A resumed training has one file for each start. What an earlier start logged after the iteration from which a later
    one went on does not count, nor does a training before this one.

    Args:
        work_dir (Path): Work dir of ``tools/train.py``.

    Returns:
        dict[str, Curve]: Curves by name, those of validations first. If validation and training share a name, the
        curve of the validation is 'val/<name>'.

    Raises:
        SR4IRError: If the folder has no such file, one cannot be read, or they may be of several trainings.
    """
    lines: list[tuple[float, dict]] = []
    for path in run_logs(work_dir):
        later = _with_iterations(path)
        first = next((position for position, line in later if 'iter' in line), math.inf)
        lines = [entry for entry in lines if entry[0] < first] + later
    if not lines:
        raise SR4IRError(f"No '*/vis_data/scalars.json' found in '{work_dir}': name the work dir of a training.")
    train = [line for _, line in lines if 'iter' in line]
    val = [line for _, line in lines if 'iter' not in line]
    by_epoch = any('epoch' in line for line in train)
    trained = _collect(train, 'iter', Curve('iteration'))
    measured = _collect(val, 'step', Curve('epoch' if by_epoch else 'iteration', measured=True))
    return {f'val/{name}' if name in trained else name: curve for name, curve in measured.items()} | trained


def select(names: Iterable[str], patterns: Sequence[str] = ()) -> list[str]:
    """Select the names that match one of the patterns, such as 'sr.loss_*'; without patterns, losses and metrics.

    Raises:
        SR4IRError: If a pattern matches no name.
    """
    names = list(names)
    for pattern in patterns:
        if not any(fnmatch(name, pattern) for name in names):
            raise SR4IRError(f"No logged value matches '{pattern}'; choose from: {', '.join(names)}.")
    if patterns:
        return [name for name in names if any(fnmatch(name, pattern) for pattern in patterns)]
    return [name for name in names if not any(fnmatch(name.removeprefix('val/'), other) for other in _OTHER)]


def is_measured(name: str, value: float) -> bool:
    """Return whether a metric has a value: COCO's average precision and recall are -1 where nothing is to be found."""
    return not (value == -1 and re.search(r'(mAP|AR@)', name))


def _with_iterations(path: Path) -> list[tuple[float, dict]]:
    """Read the lines of a file, each with its iteration; that of a validation is the last one logged before."""
    lines, iteration = [], -math.inf
    for line in read_json_lines(path):
        if not isinstance(line.get('iter', line.get('step')), int):
            raise SR4IRError(f"'{path}' has a line without 'iter' or 'step': correct it, or delete the file.")
        iteration = line.get('iter', iteration)
        lines.append((iteration, line))
    return lines


def _collect(lines: list[dict], position: str, empty: Curve) -> dict[str, Curve]:
    curves: dict[str, Curve] = {}
    for line in lines:
        for name, value in line.items():
            if name not in _POSITION and isinstance(value, (int, float)):
                curve = curves.setdefault(name, copy.deepcopy(empty))
                if curve.x[-1:] == [line[position]]:  # a validation that was repeated after a kill
                    curve.x.pop(), curve.y.pop()
                curve.x.append(line[position])
                curve.y.append(value if is_measured(name, value) else math.nan)
    return curves
