"""What was measured with a checkpoint, as its work dir says."""

import math
from collections.abc import Mapping
from pathlib import Path

from ..analysis.scalars import is_measured, read_curves, select
from ..config.runs import run_test
from ..config.starts import training_starts
from ..config.stored import training_of
from ..config.work_dir import is_work_dir
from ..errors import SR4IRError

_NOTHING: tuple[dict[str, float], str] = {}, 'No results of this checkpoint were found in its work dir.'


def checkpoint_results(weights: Path, meta: Mapping) -> tuple[dict[str, float], str]:
    """Return the metrics of a checkpoint, and a text that says where they are from.

    These are those of the latest test, if it was of this checkpoint and of the data in its config; else those of the
    validation after which it was written.

    Args:
        weights (Path): Checkpoint in its work dir.
        meta (Mapping): ``epoch`` and ``iter`` of the checkpoint.
    """
    folder = weights.parent
    if not is_work_dir(folder) or not _is_of(folder, weights):
        return _NOTHING
    tested = run_test(folder)
    if tested and Path(tested.checkpoint).name == weights.name and not tested.changed:
        return _numbers(tested.metrics), 'Test with the `test_dataloader` of `config.py`'
    curves = {name.removeprefix('val/'): curve for name, curve in read_curves(folder).items() if curve.measured}
    places = {name: meta.get('epoch' if curve.unit == 'epoch' else 'iter') for name, curve in curves.items()}
    values = _numbers({name: dict(zip(curve.x, curve.y)).get(places[name]) for name, curve in curves.items()})
    return (values, 'Validation during the training, with the `val_dataloader` of `config.py`') if values else _NOTHING


def _is_of(folder: Path, weights: Path) -> bool:
    """Return whether a checkpoint is of the training whose logs are in its folder."""
    try:
        return training_of(weights) in training_starts(folder)
    except SR4IRError:  # logs of several trainings, of which it is not known which one it is of
        return False


def _numbers(values: Mapping) -> dict[str, float]:
    numbers = {name: value for name, value in values.items() if isinstance(value, (int, float))}
    found = {name: numbers[name] for name in select(numbers)}
    return {name: value for name, value in found.items() if is_measured(name, value) and not math.isnan(value)}
