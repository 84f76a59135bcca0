"""Labels in pictures: inside the picture, and large enough to be read."""

import textwrap

from matplotlib.backend_bases import RendererBase
from matplotlib.text import Text
from matplotlib.transforms import Bbox

#: smallest height of a label in a picture that is shown as it is, and space to the edge of the picture, px
SMALLEST, MARGIN = 9, 1


def fit(text: Text, renderer: RendererBase, width: int, height: int, smallest: float = SMALLEST) -> None:
    """Enlarge a label that is too small, break or shrink one that is too wide, and move it into the picture.

    Args:
        text (Text): Label in coordinates of pixels.
        renderer (RendererBase): Renderer of the picture.
        width (int): Width of the picture in px.
        height (int): Height of the picture in px.
        smallest (float): Smallest height of a label that fits, in px.
    """
    if not text.get_text() or text.get_transform() != text.axes.transData:
        return  # of a legend, or placed in another way by a visualizer of users
    text.set_fontsize(text.get_fontsize() * max(1.0, smallest / renderer.points_to_pixels(text.get_fontsize())))
    box = _extent(text, renderer)
    if (share := (width - 2 * MARGIN) / box.width) < 1:
        length = max(8, int(share * max(map(len, text.get_text().split('\n')))))
        lines = [part for line in text.get_text().split('\n') for part in textwrap.wrap(line, length) or ['']]
        text.set_text('\n'.join(lines))
    for _ in range(20):  # widths of letters are whole pixels, so that one step may be too short
        box = _extent(text, renderer)
        share = min((width - 2 * MARGIN) / box.width, (height - 2 * MARGIN) / box.height)
        if share >= 1:
            break
        text.set_fontsize(text.get_fontsize() * min(share, 0.95))
    x, y = text.get_position()  # y grows downwards there, and upwards in the box
    text.set_position((x + _shift(box.x0, box.x1, width), y - _shift(box.y0, box.y1, height)))


def _extent(text: Text, renderer: RendererBase) -> Bbox:
    """Return the extent of a label with the box behind it, from the bottom left corner of the picture, in px."""
    box = text.get_window_extent(renderer)
    if not (patch := text.get_bbox_patch()):
        return box
    text.update_bbox_position_size(renderer)
    return Bbox.union([box, patch.get_window_extent(renderer)])


def _shift(low: float, high: float, length: int) -> float:
    """Return by how much an interval must move to be inside; the start comes first."""
    return MARGIN - low if low < MARGIN else min(0.0, length - MARGIN - high)
