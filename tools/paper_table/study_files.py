"""The files of a study: study.json, study.md, study.csv, and two plots."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from paper_table.plot import COLORS
from paper_table.runs import Run
from paper_table.study import Study
from paper_table.table import TASK_METRICS, markdown_table

from sr4ir_mm.analysis.curves import diagrams
from sr4ir_mm.analysis.scalars import read_curves
from sr4ir_mm.utils import new_file, write_file

FILES = ('study.json', 'study.md', 'study.csv', 'study_psnr.png', 'study_time.png')


def write_study(study: Study, numbers: dict[str, Any]) -> str:
    """Write all files into the work dir of a study; return the text of ``study.md``."""
    folder, text = study.work_dir, to_markdown(numbers)
    write_file(folder / 'study.json', json.dumps(numbers, indent=1) + '\n')
    write_file(folder / 'study.md', text)
    _write_csv(numbers, folder / 'study.csv')
    titles = [block['name'] for block in numbers['blocks']]
    _draw(titles, lambda ax, i: _plot_psnr(ax, numbers['blocks'][i]), folder / 'study_psnr.png')
    _draw(titles, lambda ax, i: _plot_time(ax, study, titles[i]), folder / 'study_time.png')
    return text


def to_markdown(numbers: dict[str, Any]) -> str:
    """Return the tables of all blocks."""
    bootstrap = numbers['bootstrap']
    head = (
        f'Means over seeds. In brackets: {bootstrap["level"]} % intervals, percentiles of {bootstrap["replicates"]} '
        'resamples of the test images and the seeds, which are the same for all rows. ±: standard deviation over '
        'seeds.\n'
    )
    parts = [head, *map(_block_text, numbers['blocks'])]
    machine = numbers['machine']
    made = f'{numbers["command"]}, {numbers["revision"]}, {numbers["date"]}, {machine["cpu"]}, {machine["cores"]} cores'
    left = f'{numbers["runs_left"]} runs are not done.\n' if numbers['runs_left'] else ''
    return '\n'.join([*parts, left, f'Made by `{made}`.\n'])


def _block_text(block: dict[str, Any]) -> str:
    table = markdown_table(['scheme', block['metric'], '±', 'gap closed', 'PSNR (dB)', 'seeds'])
    for row in block['rows']:
        spread = row.get('std_over_seeds')
        table.add_row(
            [row['row'], _text(row), '-' if spread is None else f'{spread:.2f}', _text(row.get('gap_closed')),
             _text(row.get('PSNR')), f'{len(row["values"])} of {len(row["seeds"])}']
        )  # fmt: skip
    pairs = markdown_table(['difference', block['metric'], '0 is outside', 'seeds'])
    for pair in block['differences']:
        outside = pair['interval'] and not pair['interval'][0] <= 0 <= pair['interval'][1]
        pairs.add_row([f'{pair["a"]} - {pair["b"]}', _text(pair), 'yes' if outside else 'no', len(pair['seeds'])])
    return f'### {block["name"]}: {block["images"]} images{_folds(block["folds"])}\n\n{table}\n\n{pairs}\n'


def _folds(folds: list[str]) -> str:
    """Return what part of the images '1/3', '2/3', ... are."""
    if not folds:
        return ''
    numbers, count = [fold.partition('/')[0] for fold in folds], folds[0].split('/')[1]
    if len(numbers) == int(count):
        return f', {count} folds'
    return f', {"folds" if len(numbers) > 1 else "fold"} {", ".join(numbers)} of {count}'


def _text(value: dict[str, Any] | None) -> str:
    if not value or value.get('mean') is None:
        return '-'
    ends = value['interval']
    return f'{value["mean"]:.2f}' + (f' [{ends[0]:.2f}, {ends[1]:.2f}]' if ends else '')


def _write_csv(numbers: dict[str, Any], path: Path) -> None:
    names = ['mean', 'low', 'high']
    with new_file(path) as part, open(part, 'w', newline='') as file:
        writer = csv.writer(file)
        kinds = ('value', 'gap closed', 'PSNR')
        columns = [f'{kind} {name}' for kind in kinds for name in names]
        writer.writerow(['block', 'images', 'row', 'metric', 'seeds', 'std over seeds', *columns])
        for block in numbers['blocks']:
            for row in block['rows']:
                parts = [row, row.get('gap_closed'), row.get('PSNR')]
                cells = [cell for value in parts for cell in _cells(value)]
                head = [block['name'], block['images'], row['row'], block['metric'], len(row['values'])]
                writer.writerow([*head, row.get('std_over_seeds'), *cells])


def _cells(value: dict[str, Any] | None) -> list:
    value = value or {}
    return [value.get('mean'), *(value.get('interval') or (None, None))]


def _draw(titles: Sequence[str], plot: Any, path: Path) -> None:
    """Draw a diagram for each block."""
    figure, axes = diagrams(len(titles), 3, (4.6, 3.8))
    for i, ax in enumerate(axes):
        ax.set_title(titles[i], fontsize=9)
        plot(ax, i)
    with new_file(path) as part:
        figure.savefig(part, dpi=150)


def _plot_psnr(ax: Axes, block: dict[str, Any]) -> None:
    """Plot the task metric against the PSNR; a dashed line marks H->T, whose PSNR is infinite."""
    ax.set(xlabel='PSNR (dB)', ylabel=block['metric'])
    for row in block['rows']:
        psnr = row.get('PSNR') or {}
        if row.get('mean') is None:
            continue
        if psnr.get('mean') is None:
            ax.axhline(row['mean'], ls='--', lw=0.8, color='0.6')
            ax.annotate(row['row'], (1, row['mean']), xycoords=('axes fraction', 'data'), ha='right', va='bottom',
                        fontsize=7)  # fmt: skip
            continue
        spans = [[[abs(end - value['mean'])] for end in value['interval']] for value in (psnr, row)]
        color = COLORS.get(row['row'], 'C0')
        ax.errorbar(psnr['mean'], row['mean'], xerr=spans[0], yerr=spans[1], fmt='o', ms=4, lw=1, color=color)
        ax.annotate(row['row'], (psnr['mean'], row['mean']), xytext=(4, 4), textcoords='offset points', fontsize=7)


def _plot_time(ax: Axes, study: Study, block: str) -> None:
    """Plot the task metric in the validations over the minutes of training, the mean over runs."""
    metric = study.metrics[block]
    title, factor = TASK_METRICS[metric]
    ax.set(xlabel='minutes of training', ylabel=title)
    for i, (row, seeds) in enumerate(study.blocks[block].items()):
        lines = [line for runs in seeds.values() for run in runs if (line := _over_time(run, metric))]
        points = min(map(len, lines), default=0)
        if points:
            x, y = ([sum(line[k][axis] for line in lines) / len(lines) for k in range(points)] for axis in (0, 1))
            ax.plot(x, [factor * value for value in y], marker='o', ms=3, lw=1.2, color=f'C{i % 10}', label=row)
    if ax.lines:
        ax.legend(fontsize=7, frameon=False)


def _over_time(run: Run, metric: str) -> list[tuple[float, float]]:
    """Return minutes and values of the validations of a run that is done."""
    if run.status() != 'done':
        return []
    curves = read_curves(run.folder)
    if not {'time', metric} <= curves.keys():
        return []
    seconds, values = curves['time'], curves[metric]
    minutes = sum(seconds.y) / len(seconds.y) * seconds.x[-1] / 60
    return [(minutes * x / values.x[-1], y) for x, y in zip(values.x, values.y)]
