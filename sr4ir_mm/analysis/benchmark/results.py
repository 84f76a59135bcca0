"""Tables of what was measured."""

from collections.abc import Mapping
from statistics import median
from typing import Any

#: rows of a table: texts by the names of columns
Rows = list[dict[str, str]]
#: what is measured: the column of a turn's time, and whether it is a rate
WHATS = dict(training='s / iteration', inference='images / s', loading='images / s')


def entry(what: str, job: str, device: str, variants: Mapping[str, Mapping], **more: Any) -> dict:
    """Return what the JSON holds of one measurement.

    Args:
        what (str): 'training', 'inference' or 'loading'.
        job (str): Title of the job.
        device (str): Device.
        variants (Mapping): What was measured, by the name of the variant; see :func:`take_turns`.
        **more: Further entries, such as ``floors``.
    """
    return dict(what=what, job=job, device=device, **more, variants={name: dict(v) for name, v in variants.items()})


def time_of(measured: Mapping) -> float:
    """Return the median of the seconds of a turn."""
    return median(measured['seconds'])


def rows(entry: Mapping) -> Rows:
    """Make a table of one measurement, with ratios to its first variant.

    Args:
        entry (Mapping): What :func:`entry` returns. ``images`` in it is the number of images of a turn, for a rate;
            ``floors`` maps a variant to the one that does the same in plain PyTorch.
    """
    variants, floors = entry['variants'], entry.get('floors', {})
    first = next(iter(variants))
    unit = WHATS[entry['what']]
    table = []
    for name, measured in variants.items():
        own = floors.get(name)
        row = {'variant': name, unit: _speed(entry, measured), f'time / {first}': _ratio(variants, name, first)}
        if floors:
            row['time / own floor'] = _ratio(variants, name, own)
        row['CPU s'] = f'{median(measured["cpu_seconds"]):.2f}'
        row['peak MB'] = f'{measured["peak_mib"]:.0f}'
        row[f'peak / {first}'] = f'{measured["peak_mib"] / variants[first]["peak_mib"]:.2f}'
        row['MB before'] = f'{measured["before_mib"]:.0f}'
        if 'cuda_peak_mib' in measured:
            row['GPU peak MB'] = f'{measured["cuda_peak_mib"]:.0f}'
            row[f'GPU peak / {first}'] = f'{measured["cuda_peak_mib"] / variants[first]["cuda_peak_mib"]:.2f}'
        table.append(row)
    return table


def _speed(entry: Mapping, measured: Mapping) -> str:
    seconds = time_of(measured)
    return f'{entry["images"] / seconds:.2f}' if 'images' in entry else f'{seconds:.3f}'


def _ratio(variants: Mapping, name: str, other: str | None) -> str:
    return f'{time_of(variants[name]) / time_of(variants[other]):.2f}' if other in variants else ''


def compare(new: Mapping, old: Mapping) -> Rows:
    """Make a table of ratios between two benchmarks, of what both measured.

    Args:
        new (Mapping): Content of a JSON.
        old (Mapping): Content of another one.
    """
    before = {key(entry): entry for entry in old['results']}
    table = []
    for entry in new['results']:
        for name, measured in entry['variants'].items():
            if (other := before.get(key(entry), dict(variants={}))['variants'].get(name)) is not None:
                table.append({
                    'job': f'{entry["job"]}, {entry["what"]}, {entry["device"]}',
                    'variant': name,
                    'time new / old': f'{time_of(measured) / time_of(other):.2f}',
                    'CPU time new / old': f'{median(measured["cpu_seconds"]) / median(other["cpu_seconds"]):.2f}',
                    'peak new / old': f'{measured["peak_mib"] / other["peak_mib"]:.2f}',
                })  # fmt: skip
    return table


def key(entry: Mapping) -> tuple:
    """Return what two entries have in common if they measured the same."""
    return entry['what'], entry['job'], entry['device']


def text_table(table: Rows, markdown: bool = False) -> str:
    """Turn rows into text, or into a table of Markdown."""
    from prettytable import MARKDOWN, PrettyTable

    text = PrettyTable(list(table[0]), align='r')
    text.align[next(iter(table[0]))] = text.align['variant'] = 'l'
    for row in table:
        text.add_row(list(row.values()))
    if markdown:
        text.set_style(MARKDOWN)
    return str(text)
