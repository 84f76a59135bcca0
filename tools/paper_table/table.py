"""The paper's table from the metrics of runs: mean and standard deviation over seeds, as Markdown and CSV.

Where fewer seeds have a value than the row has, their number stands behind it: '0.53 (1 of 2)'.
"""

import csv
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from prettytable import PrettyTable, TableStyle

from sr4ir_mm.analysis.scalars import is_measured
from sr4ir_mm.utils import new_file

#: task metric -> its title and factor
TASK_METRICS = {
    'mIoU': ('mIoU (%)', 1),
    'coco/bbox_mAP': ('mAP (%)', 100),
    'coco/segm_mAP': ('mask mAP (%)', 100),
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

    def text(self, digits: int, seeds: int) -> str:
        """Return the text in the Markdown table, in a row with this number of seeds."""
        # + 0: never '-0.00'
        text = '∞' if math.isinf(self.mean) else f'{round(self.mean, digits) + 0:.{digits}f}'
        text += '' if math.isnan(self.std) else f' ± {self.std:.{digits}f}'
        return text + (f' ({self.n} of {seeds})' if self.n < seeds else '')


@dataclass(frozen=True)
class Row:
    """One scheme: its cells by column (None where nothing was measured), and the share of the oracle gap it closes.

    The gap is that of the means over the seeds for which this scheme, L->T and H->T are done.
    """

    scheme: str
    seeds: int
    cells: dict[str, Cell | None]
    gap: Cell | None


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


def make_block(name: dict[str, object], metric: str, results: Mapping[str, Mapping[int, dict]]) -> Block:
    """Average over seeds.

    Args:
        name (dict): ``net``, ``sr``, ``scale`` and ``data``.
        metric (str): Key of the task metric.
        results (Mapping[str, Mapping[int, dict]]): Metrics by seed of the runs that are done, by scheme in the order of
            the rows.
    """
    title, factor = TASK_METRICS.get(metric, (metric, 1))
    columns = {metric: (title, factor), **{key: (title, 1) for key, title in QUALITY.items()}}
    values = {
        scheme: {title: _values(runs, key, factor) for key, (title, factor) in columns.items()}
        for scheme, runs in results.items()
    }
    rows = []
    for scheme, runs in results.items():
        cells = {column: Cell.of(list(seeds.values())) for column, seeds in values[scheme].items()}
        ends = [values.get(end, {}).get(title, {}) for end in ('L->T', 'H->T')]
        rows.append(Row(scheme, len(runs), cells, gap_closed(values[scheme][title], *ends)))
    return Block(name, [title for title, _ in columns.values()], rows)


def gap_closed(values: Mapping[int, float], low: Mapping[int, float], high: Mapping[int, float]) -> Cell | None:
    """Return the share of the gap between L->T and H->T (oracle) that is closed; None if it is unknown or zero.

    Args:
        values (Mapping[int, float]): Task metric by seed.
        low (Mapping[int, float]): That of L->T.
        high (Mapping[int, float]): That of H->T.
    """
    seeds = values.keys() & low.keys() & high.keys()
    value, bottom, top = (sum(metric[seed] for seed in seeds) for metric in (values, low, high))
    return None if top == bottom else Cell((value - bottom) / (top - bottom), math.nan, len(seeds))


def _values(runs: Mapping[int, dict], key: str, factor: float) -> dict[int, float]:
    return {seed: run[key] * factor for seed, run in runs.items() if key in run and is_measured(key, run[key])}


def to_markdown(blocks: Sequence[Block]) -> str:
    """Return a table for each block; mean ± standard deviation over seeds."""
    return '\n\n'.join(map(_markdown_block, blocks)) + '\n'


def markdown_table(columns: Sequence[str]) -> PrettyTable:
    """Return a table in Markdown without rows: names on the left, numbers aligned to the right."""
    table = PrettyTable(list(columns))
    table.set_style(TableStyle.MARKDOWN)
    table.align = 'r'
    table.align[columns[0]] = 'l'
    return table


def _markdown_block(block: Block) -> str:
    table = markdown_table(['scheme', *block.columns, 'gap closed', 'seeds'])
    for row in block.rows:
        cells = {**row.cells, 'gap': row.gap}.items()
        texts = ['-' if cell is None else cell.text(DIGITS.get(title, 2), row.seeds) for title, cell in cells]
        table.add_row([row.scheme, *texts, row.seeds])
    return f'### {block.title}\n\n{table}'


def write_csv(blocks: Sequence[Block], path: Path) -> None:
    """Write one line for each scheme of each block, not rounded; empty where nothing was measured."""
    quality = list(QUALITY.values())
    names = ['net', 'sr', 'scale', 'data', 'scheme', 'seeds', 'metric']
    numbers = [f'{column}{suffix}' for column in ('value', *quality) for suffix in ('', ' std')]
    with new_file(path) as part, open(part, 'w', newline='') as file:
        writer = csv.writer(file)
        writer.writerow([*names, *numbers, 'gap closed', 'gap seeds'])
        for block in blocks:
            for row in block.rows:
                cells = [number for cell in row.cells.values() for number in _numbers(cell)]
                gap = ('', 0) if row.gap is None else (row.gap.mean, row.gap.n)
                writer.writerow([*block.name.values(), row.scheme, row.seeds, block.columns[0], *cells, *gap])


def _numbers(cell: Cell | None) -> tuple:
    if cell is None:
        return '', ''
    return cell.mean, '' if math.isnan(cell.std) else cell.std
