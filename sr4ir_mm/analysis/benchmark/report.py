"""Benchmarks as files and as text."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import SR4IRError
from .results import Rows, compare, rows

#: the form of the JSON; it grows when an older program could no longer read it
FORMAT = 1


def read(path: Path) -> dict[str, Any]:
    """Read a JSON of a benchmark.

    Raises:
        SR4IRError: If the file is none.
    """
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except ValueError as error:
        raise SR4IRError(f"'{path}' is no JSON ({error}): name a file of benchmark.py --out.") from error
    if not isinstance(content, dict) or content.get('format') != FORMAT or 'results' not in content:
        raise SR4IRError(f"'{path}' is not of benchmark.py --out, or of another release: measure again.")
    return content


def write(path: Path, content: Mapping) -> None:
    """Write a JSON of a benchmark, which :func:`read` reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + '\n', encoding='utf-8')


def describe(content: Mapping) -> str:
    """Say where and of what a benchmark was made, in two lines."""
    machine = ', '.join(f'{name} {value}' for name, value in content['machine'].items())
    return f'{content["date"]}, {content["revision"]}, torch {content["versions"].get("torch")}\n{machine}'


def text_of(entry: Mapping, markdown: bool = False) -> str:
    """Return the table of one measurement under its title."""
    from .losses import deviation_rows

    table = deviation_rows(entry) if entry['what'] == 'losses' else rows(entry)
    return _titled(f'{entry["what"]}, {entry["device"]}: {entry["job"]}', table, markdown)


def comparison(new: Mapping, old: Mapping, markdown: bool = False) -> str:
    """Return the table of ratios between two benchmarks.

    Raises:
        SR4IRError: If they measured nothing in common.
    """
    if not (table := compare(new, old)):
        raise SR4IRError('The two benchmarks have no job and variant in common: measure the same with both.')
    return _titled(f'{new["revision"]} compared with {old["revision"]}', table, markdown)


def _titled(title: str, table: Rows, markdown: bool) -> str:
    return f'\n{"**" * markdown}{title}{"**" * markdown}\n\n{text_table(table, markdown)}'


def text_table(table: Sequence[Mapping[str, str]], markdown: bool = False) -> str:
    """Turn rows into text, or into a table of Markdown."""
    from prettytable import PrettyTable, TableStyle

    columns = list(dict.fromkeys(name for row in table for name in row))
    text = PrettyTable(columns, align='r')
    for name in {'job', 'variant'} & set(columns):
        text.align[name] = 'l'
    for row in table:
        text.add_row([row.get(name, '') for name in columns])
    if markdown:
        text.set_style(TableStyle.MARKDOWN)
    return str(text)
