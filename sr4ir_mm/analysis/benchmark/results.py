"""Medians and ratios of what was measured."""

from collections.abc import Mapping
from statistics import median
from typing import Any

#: rows of a table: texts by the names of columns
Rows = list[dict[str, str]]
#: what is shown as a rate; the value of a turn is its number of images
RATES = ('inference', 'loading')


def entry(what: str, job: str, device: str, variants: Mapping[str, Mapping], **more: Any) -> dict:
    """Return what the JSON holds of one measurement.

    Args:
        what (str): 'training', 'inference', 'loading' or 'losses'.
        job (str): Title of the job.
        device (str): Device.
        variants (Mapping): What was measured, by the name of the variant; see :func:`take_turns`.
        **more: Further entries, such as ``floors``: by the name of a variant, that of the same one in plain PyTorch.
    """
    return dict(what=what, job=job, device=device, **more, variants={name: dict(v) for name, v in variants.items()})


def time_of(measured: Mapping, kind: str = 'seconds') -> float:
    """Return the median of the seconds of a turn, or of its 'cpu_seconds'."""
    return median(measured[kind])


def rows(entry: Mapping) -> Rows:
    """Make a table of one measurement, with ratios to its first variant, which is the floor."""
    return [_row(entry, name) for name in entry['variants']]


def _row(entry: Mapping, name: str) -> dict[str, str]:
    variants, floors = entry['variants'], entry.get('floors', {})
    first = next(iter(variants))
    measured = variants[name]
    row = {'variant': name, **_speed(entry, measured), f'time / {first}': _ratio(variants, name, first)}
    if floors:
        row['time / own floor'] = _ratio(variants, name, floors.get(name))
    row['CPU s'] = f'{time_of(measured, "cpu_seconds"):.2f}'
    row.update(_memory(measured, variants[first], first))
    return row


def _speed(entry: Mapping, measured: Mapping) -> dict[str, str]:
    if entry['what'] not in RATES:
        return {'s / iteration': f'{time_of(measured):.3f}'}
    counts = measured['values'][-len(measured['seconds']) :]  # without those of the warm-up
    return {'images / s': f'{median(n / s for n, s in zip(counts, measured["seconds"])):.2f}'}


def _ratio(variants: Mapping, name: str, other: str | None) -> str:
    return f'{time_of(variants[name]) / time_of(variants[other]):.3f}' if other in variants else ''


def _memory(measured: Mapping, other: Mapping, first: str) -> dict[str, str]:
    row = {
        'peak MiB': f'{measured["peak_mib"]:.0f}',
        f'peak / {first}': f'{measured["peak_mib"] / other["peak_mib"]:.2f}',
        'MiB before': f'{measured["before_mib"]:.0f}',
    }
    if 'cuda_peak_mib' in measured:
        row['GPU peak MiB'] = f'{measured["cuda_peak_mib"]:.0f}'
        row[f'GPU peak / {first}'] = f'{measured["cuda_peak_mib"] / other["cuda_peak_mib"]:.2f}'
    return row


def compare(new: Mapping, old: Mapping) -> Rows:
    """Make a table of ratios between two benchmarks, of what both measured.

    A variant is compared with that of the same name; if the old benchmark has a single one, each is compared with it.

    Args:
        new (Mapping): Content of a JSON.
        old (Mapping): Content of another one.
    """
    before = {_key(entry): entry['variants'] for entry in old['results']}
    table = []
    for entry in new['results']:
        others = before.get(_key(entry), {})
        for name, measured in entry['variants'].items():
            other = others.get(name) or (next(iter(others.values())) if len(others) == 1 else None)
            if other:
                table.append({'job': ', '.join(_key(entry)), 'variant': name, **_ratios(measured, other)})
    return table


def _key(entry: Mapping) -> tuple[str, str, str]:
    return entry['what'], entry['job'], entry['device']


def _ratios(new: Mapping, old: Mapping) -> dict[str, str]:
    names = {'peak_mib': 'peak', 'cuda_peak_mib': 'GPU peak'}
    return {
        'time new / old': f'{time_of(new) / time_of(old):.2f}',
        'CPU time new / old': f'{time_of(new, "cpu_seconds") / time_of(old, "cpu_seconds"):.2f}',
        **{
            f'{name} new / old': f'{new[key] / old[key]:.2f}'
            for key, name in names.items()
            if {key} <= new.keys() & old.keys()
        },
    }
