"""Draw the two phases of an SR4IR iteration: python docs/figures/phases.py [docs/figures/phases.svg]

The weights are those of the scheme in the code; the file is the same for the same matplotlib.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.patches import FancyBboxPatch

from sr4ir_mm.models import SCHEMES

LEARNS, FROZEN, IMAGE, LOSS = '#f6c667', '#d7dbe2', '#e8f1fb', '#fbe3df'
STYLE = {'svg.hashsalt': 'sr4ir_mm', 'svg.fonttype': 'none', 'font.family': 'sans-serif', 'font.size': 10}
HEIGHT = 0.62
EDGE = '#444'
CORNER = 'angle,angleA=90,angleB=0'  # up or down, then right
#: left edge and width of each column of boxes
HR, DEGRADE, LR, S = (0.1, 1.0), (1.45, 1.0), (2.8, 0.8), (4.0, 0.7)
IMAGES, T, LOSSES = (5.1, 1.3), (6.9, 0.9), (8.3, 2.6)


def box(axes, column: tuple[float, float], y: float, text: str, color: str, height: float = HEIGHT) -> None:
    """Draw a rounded box around a text, its middle at ``y``."""
    x, width = column
    style = 'round,pad=0.02,rounding_size=0.08'
    axes.add_patch(FancyBboxPatch((x, y - height / 2), width, height, boxstyle=style, facecolor=color, edgecolor=EDGE))
    axes.text(x + width / 2, y, text, ha='center', va='center')


def arrow(axes, start: tuple[float, float], end: tuple[float, float], **kwargs) -> None:
    """Draw an arrow from one point to another."""
    style = dict(arrowstyle='-|>', color=EDGE, shrinkA=1, shrinkB=2) | kwargs
    axes.annotate('', xy=end, xytext=start, arrowprops=style)


def right(column: tuple[float, float], y: float) -> tuple[float, float]:
    """Return the middle of a box's right side."""
    return sum(column), y


def left(column: tuple[float, float], y: float) -> tuple[float, float]:
    """Return the middle of a box's left side."""
    return column[0], y


def sources(axes, y: float, sr_color: str) -> None:
    """Draw the HR image, the degradation, the LR image and S."""
    for column, text, color in (HR, 'HR', IMAGE), (DEGRADE, 'bicubic\n8 bits', 'white'), (LR, 'LR', IMAGE):
        box(axes, column, y, text, color)
    box(axes, S, y, 'S', sr_color)
    for one, other in (HR, DEGRADE), (DEGRADE, LR), (LR, S):
        arrow(axes, right(one, y), left(other, y))


def phase_1(axes) -> None:
    """Draw phase 1: S learns, T is frozen."""
    phase = SCHEMES['SR4IR'].phases[0]
    axes.set_title('Phase 1: the SR network S learns; the task network T is frozen (eval mode)', loc='left')
    sources(axes, 2, LEARNS)
    box(axes, IMAGES, 2, 'SR', IMAGE)
    box(axes, T, 1.5, 'T up to\nthe TDP\nlayers', FROZEN, 1.4)
    box(axes, LOSSES, 2.9, f'pixel loss  |SR - HR|   x {phase.pixel:g}', LOSS)
    box(axes, LOSSES, 1.5, f'TDP loss   x {phase.tdp:g}\n|features(SR) - features(HR)|\nafter the warm-up', LOSS, 1.0)
    arrow(axes, right(S, 2), left(IMAGES, 2))
    arrow(axes, right(IMAGES, 2), left(T, 2))
    arrow(axes, (IMAGES[0] + 0.65, 2 + HEIGHT / 2), left(LOSSES, 2.8), connectionstyle=CORNER)
    arrow(axes, (0.6, 2 + HEIGHT / 2), left(LOSSES, 3.05), connectionstyle=CORNER)
    arrow(axes, (0.6, 2 - HEIGHT / 2), left(T, 1), connectionstyle=CORNER)
    arrow(axes, right(T, 1.5), left(LOSSES, 1.5))
    axes.text(3.2, 1.07, 'HR, without gradient', ha='center', va='bottom', color=EDGE, size=9)


def phase_2(axes) -> None:
    """Draw phase 2: T learns, S is frozen."""
    weights = SCHEMES['SR4IR'].phases[1].task
    axes.set_title('Phase 2: the task network T learns; the SR network S, as just updated, is frozen', loc='left')
    sources(axes, 2, FROZEN)
    rows = dict(zip(weights, (2, 2.9, 1.1)))
    names = dict(sr='SR', hr='HR', mix='CQMix(SR, HR)')
    box(axes, T, 2, 'T\n(train\nmode)', LEARNS, 2.42)
    for image, y in rows.items():
        box(axes, IMAGES, y, names[image], IMAGE)
        arrow(axes, right(IMAGES, y), left(T, y))
        box(axes, LOSSES, y, f'task loss on {names[image].partition("(")[0]}   x {weights[image]:g}', LOSS)
        arrow(axes, right(T, y), left(LOSSES, y))
    arrow(axes, right(S, 2), left(IMAGES, 2))
    arrow(axes, (IMAGES[0] + 0.65, 2 - HEIGHT / 2), (IMAGES[0] + 0.65, 1.1 + HEIGHT / 2))
    arrow(axes, (0.6, 2 + HEIGHT / 2), left(IMAGES, 2.9), connectionstyle=CORNER)
    arrow(axes, (0.6, 2 - HEIGHT / 2), left(IMAGES, 1.1), connectionstyle=CORNER)


def draw(path: Path) -> None:
    """Write the figure."""
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(2, figsize=(10.4, 5.4))
        for axis, phase in zip(axes, (phase_1, phase_2)):
            axis.set(xlim=(0, 11), ylim=(0.6, 3.4))
            axis.axis('off')
            phase(axis)
        figure.tight_layout()
        figure.savefig(path, metadata=dict(Date=None), facecolor='white')
        plt.close(figure)


if __name__ == '__main__':
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_suffix('.svg'))
