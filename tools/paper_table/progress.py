"""How many runs of a table or study are done, and how much time is left."""

from collections.abc import Collection
from pathlib import Path

from paper_table.runs import Run


def progress(
    runs: Collection[Run], at_once: int = 1, counts: dict[str, int] | None = None, failed: Collection[Path] = ()
) -> str:
    """Say how many runs are done, and estimate the time that is left from them: from those of the same config and
    scheme, or the same config.

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
                taken.setdefault(key, []).append(seconds)
    left = [run for run in runs if run.status() != 'done']
    to_come = [run for run in left if run.folder not in _lost(runs, failed)]
    known = [next((taken[key] for key in _alike(run) if key in taken), None) for run in to_come]
    hours = sum(sum(seconds) / len(seconds) for seconds in known if seconds) / 3600 / at_once
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
