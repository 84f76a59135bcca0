"""Plot of the paper's table."""

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from paper_table.table import Block

from sr4ir_mm.analysis.curves import diagrams
from sr4ir_mm.utils import new_file

COLORS = {'H->T': '0.45', 'L->T': '0.45', 'SR4IR': 'C3'}  # others: C0


def plot(blocks: Sequence[Block], path: Path) -> None:
    """Draw the task metric of each scheme with its standard deviation; dashed lines mark the ends of the oracle gap."""
    figure, axes = diagrams(len(blocks), 4, (4, 3.2))
    for ax, block in zip(axes, blocks):
        _plot_block(ax, block)
    with new_file(path) as part:
        figure.savefig(part, dpi=150)


def _plot_block(ax: Axes, block: Block) -> None:
    metric = block.columns[0]
    ax.set_title(block.title, fontsize=10)
    ax.set(ylabel=metric, xlim=(-0.5, len(block.rows) - 0.5))
    ax.set_xticks(range(len(block.rows)), [row.scheme for row in block.rows])
    ax.margins(y=0.15)
    for i, row in enumerate(block.rows):
        if cell := row.cells[metric]:
            spread = 0.0 if math.isnan(cell.std) else cell.std
            ax.errorbar(i, cell.mean, spread, fmt='o', capsize=4, color=COLORS.get(row.scheme, 'C0'))
            label = dict(xytext=(0, 4), textcoords='offset points', ha='center', va='bottom', fontsize=8)
            ax.annotate(f'{cell.mean:.1f}', (i, cell.mean + spread), **label)
            if row.scheme in ('H->T', 'L->T'):
                ax.axhline(cell.mean, ls='--', lw=0.8, color='0.7', zorder=0)
