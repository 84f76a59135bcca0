"""Labels in pictures: inside the picture, and large enough to be read."""

import textwrap

from matplotlib.backend_bases import RendererBase
from matplotlib.text import Text
from matplotlib.transforms import Bbox

#: smallest height of a label in a picture that is shown as it is, and space to the edge of the picture, px
SMALLEST, MARGIN = 9, 1


def fit(
    text: Text, renderer: RendererBase, size: tuple[int, int], smallest: float = SMALLEST, margin: int = MARGIN
) -> None:
    """Enlarge a label that is too small, break or shrink one that is too wide, and move it into the picture.

    Args:
        text (Text): Label in coordinates of pixels.
        renderer (RendererBase): Renderer of the picture.
        size (tuple[int, int]): Width and height of the picture in px.
        smallest (float): Smallest height of a label that fits, in px.
        margin (int): Distance from the edge of the picture, in px.
    """
    if not text.get_text() or text.get_transform() != text.axes.transData:
        return  # of a legend, or placed in another way by a visualizer of users
    width, height = (max(1, side - 2 * margin) for side in size)
    text.set_fontsize(text.get_fontsize() * max(1.0, smallest / renderer.points_to_pixels(text.get_fontsize())))
    box = _extent(text, renderer)
    if (share := width / box.width) < 1:
        length = max(8, int(share * max(map(len, text.get_text().split('\n')))))
        lines = [part for line in text.get_text().split('\n') for part in textwrap.wrap(line, length) or ['']]
        text.set_text('\n'.join(lines))
    for _ in range(20):  # widths of letters are whole pixels, so that one step may be too short
        box = _extent(text, renderer)
        share = min(width / box.width, height / box.height)
        if share >= 1:
            break
        text.set_fontsize(text.get_fontsize() * min(share, 0.95))
    x, y = text.get_position()  # y grows downwards there, and upwards in the box
    text.set_position((x + _shift(box.x0, box.x1, margin, width), y - _shift(box.y0, box.y1, margin, height)))


def _extent(text: Text, renderer: RendererBase) -> Bbox:
    """Return the extent of a label with the box behind it, from the bottom left corner of the picture, in px."""
    box = text.get_window_extent(renderer)
    if not (patch := text.get_bbox_patch()):
        return box
    text.update_bbox_position_size(renderer)
    return Bbox.union([box, patch.get_window_extent(renderer)])


def _shift(low: float, high: float, start: int, length: int) -> float:
    """Return by how much an interval must move to be in another one, at whose start it begins if it is longer."""
    return start - low if low < start else min(0.0, start + length - high)
