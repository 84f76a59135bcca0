"""What MMEngine logged during a training: the curves of losses and metrics."""

import copy
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from ..errors import SR4IRError

_POSITION = ('epoch', 'iter', 'step')
#: neither losses nor metrics; only :func:`select` with patterns shows them
_OTHER = ('time', 'data_time', 'memory', 'lr', '*.lr', 'momentum', '*.momentum', 'base_lr', '*.base_lr')


@dataclass
class Curve:
    """One logged value over the training.

    Args:
        unit (str): Of x, 'iteration' or 'epoch'.
        measured (bool): In a validation, not in training.
        x (list[float]): Ascending.
        y (list[float]): As many; may hold nan.
    """

    unit: str
    measured: bool = False
    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)


def read_curves(work_dir: Path) -> dict[str, Curve]:
    """Read the ``vis_data/scalars.json`` of a work dir.

    A resumed training has one for each start. Where two overlap, because the first ran on after its last checkpoint,
    the later one counts.

    Args:
        work_dir (Path): Of ``tools/train.py``.

    Returns:
        dict[str, Curve]: By name; what a validation measured comes first. A name that validation and training share is
        'val/<name>' for the former.

    Raises:
        SR4IRError: If there is none.
    """
    lines: list[dict] = []
    for path in sorted(work_dir.glob('*/vis_data/scalars.json')):
        later = [json.loads(line) for line in path.read_text().split('\n')[:-1] if line]  # the last may be cut
        lines = [line for line in lines if _before(line, later)] + later
    if not lines:
        raise SR4IRError(f"There is no '*/vis_data/scalars.json' in '{work_dir}': name the work dir of a training.")
    train = [line for line in lines if 'iter' in line]
    val = [line for line in lines if 'iter' not in line]
    by_epoch = any('epoch' in line for line in train)
    trained = _collect(train, 'iter', Curve('iteration'))
    measured = _collect(val, 'step', Curve('epoch' if by_epoch else 'iteration', measured=True))
    return {f'val/{name}' if name in trained else name: curve for name, curve in measured.items()} | trained


def select(names: Iterable[str], patterns: Sequence[str] = ()) -> list[str]:
    """The names that match one of the patterns ('sr.loss_*'); without patterns, losses and metrics.

    Raises:
        SR4IRError: If a pattern matches none.
    """
    names = list(names)
    for pattern in patterns:
        if not any(fnmatch(name, pattern) for name in names):
            raise SR4IRError(f"No value that was logged is called '{pattern}'; there are: {', '.join(names)}.")
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
