"""Values that MMEngine logged during a training: losses and metrics."""

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

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

    A resumed training has one file for each start. Two of them overlap if the first start went on after its last
    checkpoint; there the later one counts.

    Args:
        work_dir (Path): Work dir of ``tools/train.py``.

    Returns:
        dict[str, Curve]: Curves by name, those of validations first. If validation and training share a name, the
        curve of the validation is 'val/<name>'.

    Raises:
        SR4IRError: If the folder has no such file, or one cannot be read.
    """
    lines: list[dict] = []
    for path in sorted(work_dir.glob('*/vis_data/scalars.json')):
        later = read_json_lines(path)
        if not all(isinstance(line.get('iter', line.get('step')), int) for line in later):
            raise SR4IRError(f"'{path}' has a line without 'iter' or 'step': correct it, or delete the file.")
        lines = [line for line in lines if _before(line, later)] + later
    if not lines:
        raise SR4IRError(f"No '*/vis_data/scalars.json' found in '{work_dir}': name the work dir of a training.")
    train = [line for line in lines if 'iter' in line]
    val = [line for line in lines if 'iter' not in line]
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


def _before(line: dict, later: list[dict]) -> bool:
    position = 'iter' if 'iter' in line else 'step'
    first = next((other for other in later if ('iter' in other) == ('iter' in line)), None)
    return first is None or line[position] < first[position]


def _collect(lines: list[dict], position: str, empty: Curve) -> dict[str, Curve]:
    curves: dict[str, Curve] = {}
    for line in lines:
        for name, value in line.items():
            if name not in _POSITION and isinstance(value, (int, float)):
                curve = curves.setdefault(name, copy.deepcopy(empty))
                curve.x.append(line[position])
                curve.y.append(value)
    return curves
