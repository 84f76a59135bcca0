"""The paper's table from the metrics of runs: mean and standard deviation over seeds, as Markdown and CSV."""

import csv
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from prettytable import PrettyTable, TableStyle

#: task metric of the shipped configs -> its title and factor
TASK_METRICS = {
    'mIoU': ('mIoU (%)', 1),
    'coco/bbox_mAP': ('mAP (%)', 100),
    'accuracy/top1': ('top-1 (%)', 1),
}
QUALITY = {'sr/PSNR': 'PSNR (dB)', 'sr/SSIM': 'SSIM', 'sr/LPIPS': 'LPIPS'}
DIGITS = {'SSIM': 3, 'LPIPS': 3}  # others: 2


@dataclass(frozen=True)
class Cell:
    """Mean and sample standard deviation (nan for one value) of n values."""

    mean: float
    std: float
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> 'Cell | None':
        """Summarize the values of the seeds; None without values."""
        if not values:
            return None
        finite = len(values) > 1 and all(map(math.isfinite, values))
        return cls(sum(values) / len(values), statistics.stdev(values) if finite else math.nan, len(values))

    def text(self, digits: int) -> str:
        """Return the text in the Markdown table."""
        if math.isinf(self.mean):
            return '∞'
        return f'{self.mean:.{digits}f}' + ('' if math.isnan(self.std) else f' ± {self.std:.{digits}f}')


@dataclass(frozen=True)
class Row:
    """One scheme: its cells by column (None where nothing was measured), and the share of the oracle gap it closes."""

    scheme: str
    seeds: int
    cells: dict[str, Cell | None]
    gap: float | None


@dataclass(frozen=True)
class Block:
    """The rows of one task network, SR network, scale and data set; the first column is the task metric."""

    name: dict[str, object]
    columns: list[str]
    rows: list[Row]

    @property
    def title(self) -> str:
        """The title, e.g. 'resnet18, edsr, x4, cars'."""
        return '{net}, {sr}, x{scale}, {data}'.format(**self.name)


def make_block(name: dict[str, object], metric: str, results: Mapping[str, Sequence[dict]]) -> Block:
    """Average over seeds.

    Args:
        name (dict): ``net``, ``sr``, ``scale`` and ``data``.
        metric (str): Key of the task metric.
        results (Mapping[str, Sequence[dict]]): Metrics of each seed that is done, by scheme in the order of the rows;
            the list may be empty.
    """
    title, factor = TASK_METRICS.get(metric, (metric, 1))
    columns = {metric: (title, factor), **{key: (title, 1) for key, title in QUALITY.items()}}
    cells = {
        scheme: {
            title: Cell.of([run[key] * factor for run in runs if key in run])
            for key, (title, factor) in columns.items()
        }
        for scheme, runs in results.items()
    }
    task = {scheme: row[title] and row[title].mean for scheme, row in cells.items()}
    rows = [
        Row(scheme, len(runs), cells[scheme], gap_closed(task[scheme], task.get('L->T'), task.get('H->T')))
        for scheme, runs in results.items()
    ]
    return Block(name, [title for title, _ in columns.values()], rows)


def gap_closed(value: float | None, low: float | None, high: float | None) -> float | None:
    """Return the share of the gap between L->T and H->T (oracle) that is closed; None if it is unknown or zero."""
    if None in (value, low, high) or high == low:
        return None
    return (value - low) / (high - low)


def to_markdown(blocks: Sequence[Block]) -> str:
    """Return a table for each block; mean ± standard deviation over seeds."""
    return '\n\n'.join(map(_markdown_block, blocks)) + '\n'


def _markdown_block(block: Block) -> str:
    table = PrettyTable(['scheme', *block.columns, 'gap closed', 'seeds'])
    table.set_style(TableStyle.MARKDOWN)
    table.align = 'r'
    table.align['scheme'] = 'l'
    for row in block.rows:
        cells = ['-' if cell is None else cell.text(DIGITS.get(title, 2)) for title, cell in row.cells.items()]
        # + 0: never '-0.00'
        table.add_row([row.scheme, *cells, '-' if row.gap is None else f'{round(row.gap, 2) + 0:.2f}', row.seeds])
    return f'### {block.title}\n\n{table}'


def write_csv(blocks: Sequence[Block], path: Path) -> None:
    """Write one line for each scheme of each block, not rounded; empty where nothing was measured."""
    quality = list(QUALITY.values())
    names = ['net', 'sr', 'scale', 'data', 'scheme', 'seeds', 'metric']
    numbers = [f'{column}{suffix}' for column in ('value', *quality) for suffix in ('', ' std')]
    with open(path, 'w', newline='') as file:
        writer = csv.writer(file)
        writer.writerow([*names, *numbers, 'gap closed'])
        for block in blocks:
            for row in block.rows:
                cells = [number for cell in row.cells.values() for number in _numbers(cell)]
                gap = '' if row.gap is None else row.gap
                writer.writerow([*block.name.values(), row.scheme, row.seeds, block.columns[0], *cells, gap])


def _numbers(cell: Cell | None) -> tuple:
    if cell is None:
        return '', ''
    return cell.mean, '' if math.isnan(cell.std) else cell.std
