"""How many runs of a table or study are done, and how much time is left."""

from collections.abc import Collection
from pathlib import Path

from paper_table.runs import Run

from sr4ir_mm.models.scheme import build_scheme

#: time of a run that trains the SR network alone, where an image from which the task network learns takes 1: in
#: docs/study_bccd.json 0.19 in one fold and 0.33 in the other
SR_ALONE = 0.25


def progress(
    runs: Collection[Run], at_once: int = 1, counts: dict[str, int] | None = None, failed: Collection[Path] = ()
) -> str:
    """Say how many runs are done, and estimate the time that is left from them.

    The estimate is from the runs of the same config and scheme, or of the same config, per image of an iteration from
    which the task network learns: H->T, L->T and S->T have one, SR4IR has three. In files of docs/, SR4IR took 1.7
    (study_bccd.json, fold 1), 2.8 (study_transformers.json) and 3.0 times (study_cars.json) the mean of the others.

    Args:
        runs (Collection[Run]): All runs.
        at_once (int): Number of runs that are at work at once.
        counts (dict[str, int], optional): Other numbers to name.
        failed (Collection[Path]): Folders of the runs that have failed. They and those that need them take no time.
    """
    taken: dict[tuple, list[float]] = {}
    for run in runs:
        if seconds := run.made().get('seconds'):
            for key in _alike(run):
                taken.setdefault(key, []).append(seconds / _weight(run))
    left = [run for run in runs if run.status() != 'done']
    to_come = [run for run in left if run.folder not in _lost(runs, failed)]
    known = [next((taken[key] for key in _alike(run) if key in taken), None) for run in to_come]
    means = (sum(seconds) / len(seconds) if seconds else 0 for seconds in known)
    hours = sum(_weight(run) * mean for run, mean in zip(to_come, means)) / 3600 / at_once
    parts = [f'{len(runs) - len(left)} of {len(runs)} runs done']
    parts += [f'{count} {name}' for name, count in (counts or {}).items()]
    parts += [f'about {hours:.1f} h left' if hours >= 1 else f'about {60 * hours:.0f} min left'] if hours else []
    parts += [f'{known.count(None)} of another kind than those that are done'] if hours and None in known else []
    return ', '.join(parts)


def _lost(runs: Collection[Run], failed: Collection[Path]) -> set[Path]:
    """Return the folders of the runs that have failed, and of those that need them."""
    lost = set(failed)
    for run in runs:  # those that it needs come first
        if any(need.folder in lost for need in run.needs.values()):
            lost.add(run.folder)
    return lost


def _alike(run: Run) -> list[tuple]:
    """Return what runs of about the same duration have in common, the closest first."""
    return [(run.config, run.scheme), (run.config,)]


def _weight(run: Run) -> float:
    """Return about how long an iteration takes, in those of a task network that learns from one image."""
    return build_scheme(run.cfg.model.get('scheme', 'SR4IR')).task_losses or SR_ALONE
