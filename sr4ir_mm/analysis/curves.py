"""Plots of logged values of one or several runs."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure  # without pyplot: no display, no global state
from matplotlib.ticker import MaxNLocator

from .scalars import Curve


def name_runs(folders: Sequence[Path]) -> dict[str, Path]:
    """Return folders, each once, by short names: the last part of each path, with as many parents as needed."""
    unique = {path.resolve(): path for path in reversed(folders)}
    paths = list(dict.fromkeys(path.resolve() for path in folders))
    for depth in range(1, max((len(path.parts) for path in paths), default=0) + 1):
        names = ['/'.join(path.parts[-depth:]) for path in paths]
        if len(set(names)) == len(paths):
            return {name: unique[path] for name, path in zip(names, paths)}
    return {}


def diagrams(number: int, across: int, size: tuple[float, float], below: float = 0.0) -> tuple[Figure, list[Axes]]:
    """Return a figure of several diagrams, and these.

    Args:
        number (int): Number of diagrams.
        across (int): Number of diagrams in a row.
        size (tuple[float, float]): Width and height of one of them in inches.
        below (float): Height of the space below them in inches.
    """
    across = max(min(across, number), 1)
    down = max(math.ceil(number / across), 1)
    figure = Figure(figsize=(size[0] * across, size[1] * down + below), layout='constrained')
    axes = figure.subplots(down, across, squeeze=False).ravel().tolist()
    for ax in axes[number:]:
        ax.set_axis_off()
    return figure, axes[:number]


def plot_all(runs: Mapping[str, Mapping[str, Curve]], names: Sequence[str], across: int = 4) -> Figure:
    """Plot each value in a diagram of its own.

    Args:
        runs (Mapping[str, Mapping[str, Curve]]): Results of :func:`read_curves` by the name of the run.
        names (Sequence[str]): Names of the values.
        across (int): Number of diagrams in a row.
    """
    figure, axes = diagrams(len(names), across, (3.4, 2.6), below=0.3)
    for ax, name in zip(axes, names):
        plot_curve(ax, runs, name)
    if len(runs) > 1:
        lines = [ax.plot([], [], color=f'C{i}')[0] for i in range(len(runs))]
        figure.legend(lines, list(runs), loc='outside lower center', ncols=min(len(runs), 3), frameon=False, fontsize=8)
    return figure


def plot_curve(ax: Axes, runs: Mapping[str, Mapping[str, Curve]], name: str) -> None:
    """Plot one value of every run that has it; the color C0, C1, ... is the position of the run."""
    for i, curves in enumerate(runs.values()):
        if curve := curves.get(name):
            draw_line(ax, curve, color=f'C{i}')
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    set_style(ax, name)


def draw_line(ax: Axes, curve: Curve, **options: str) -> None:
    """Draw one curve, with marks if it has few values."""
    few = len(curve.x) <= 30
    ax.plot(curve.x, curve.y, linewidth=1.3, marker='o' if few else '', markersize=3, **options)
    ax.set_xlabel(curve.unit, fontsize=8)


def set_style(ax: Axes, title: str) -> None:
    """Give a small diagram a title, and a grid instead of a frame."""
    ax.set_title(title, fontsize=9)
    ax.tick_params(labelsize=7)
    ax.grid(alpha=0.25)
    ax.spines[['top', 'right']].set_visible(False)
