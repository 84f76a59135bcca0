"""The curves of one training on one page."""

import re
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .curves import diagrams, draw_line, plot_curve, set_style
from .scalars import Curve


def training_figure(curves: Mapping[str, Curve], best: Sequence[str] = ()) -> Figure | None:
    """Plot the losses of each network, the metric of the task network, and PSNR.

    Args:
        curves (Mapping[str, Curve]): Result of :func:`read_curves`.
        best (Sequence[str]): Names of the metrics by which checkpoints were compared; the first one is plotted.

    Returns:
        Figure: Up to four diagrams, or None if nothing was logged.
    """
    groups = {title: names for title, names in _groups(curves, best).items() if names}
    if not groups:
        return None
    figure, axes = diagrams(len(groups), 2, (4.2, 3.2))
    for ax, (title, names) in zip(axes, groups.items()):
        if len(names) == 1:
            plot_curve(ax, {'': curves}, names[0])
        else:
            _plot_together(ax, title, {name: curves[name] for name in names})
    return figure


def _groups(curves: Mapping[str, Curve], best: Sequence[str]) -> dict[str, list[str]]:
    losses = [name for name, curve in curves.items() if not curve.measured]
    metrics = [name for name, curve in curves.items() if curve.measured and not name.startswith('sr/')]
    metrics = [name for name in metrics if name.rpartition('/')[2] not in ('time', 'data_time', 'memory')]
    chosen = [name for name in metrics if name.removeprefix('val/') in best] or metrics
    groups = {
        'losses of the SR network': [name for name in losses if name.startswith('sr.loss')],
        'losses of the task network': [name for name in losses if re.fullmatch(r'task\.\w+\.loss', name)],
        'metric': chosen[:1],
        'PSNR': [name for name in curves if name == 'sr/PSNR'],
    }
    if not groups['losses of the SR network'] + groups['losses of the task network']:
        groups['losses of the SR network'] = [name for name in losses if name == 'loss']
    return groups


def _plot_together(ax: Axes, title: str, curves: Mapping[str, Curve]) -> None:
    for name, curve in curves.items():
        draw_line(ax, curve, label=name)
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    set_style(ax, title)
    ax.legend(fontsize=7, frameon=False)
