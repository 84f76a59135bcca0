"""Rendering a panel as one picture."""

import numpy as np
from matplotlib.font_manager import findfont
from PIL import Image, ImageDraw, ImageFont

from .changes import FRAME
from .panel import Panel
from .parts import WIDTH

COLORS = ('#f28e2b', '#b07aa1', '#59a14f', '#e15759')  # frames of the windows
TITLE, GAP = 22, 4  # above a picture, between two; px


def render(panel: Panel, width: int = WIDTH) -> np.ndarray:
    """Lay out two rows of pictures with titles, and below them the enlarged windows, each framed in its own color.

    Args:
        panel (Panel): Pictures, titles and windows.
        width (int): Width of each picture, in px.

    Returns:
        np.ndarray: H x W x 3, uint8, RGB.
    """
    images, drawn = list(panel.images.items()), list(panel.drawn.items())
    height = max(1, round(width * images[0][1].shape[0] / images[0][1].shape[1]))
    top = 2 * (TITLE + height) + GAP
    page = Image.new('RGB', (GAP + len(images) * (width + GAP), top + len(panel.windows) * (height + GAP)), 'white')
    for y, row, windows in (0, images, []), (TITLE + height, drawn, panel.windows):
        for j, (title, image) in enumerate(row):
            corner = GAP + j * (width + GAP), y + TITLE
            page.paste(_fit(image, width, height), corner)
            _write(page, title, (corner[0] + width / 2, y + TITLE / 2))
            _mark(page, windows if j else [], corner, width / images[0][1].shape[1])
    for i, window in enumerate(panel.windows):
        # LR, then the predictions and the ground truth
        details = panel.details[i] if panel.details else [image[window] for _, image in drawn[1:]]
        for j, image in enumerate([images[0][1][window], *details]):
            corner = GAP + j * (width + GAP), top + i * (height + GAP)
            page.paste(_framed(_fit(image, width, height), i), corner)
    return np.array(page)


def _fit(image: np.ndarray, width: int, height: int) -> Image.Image:
    method = Image.NEAREST if width >= image.shape[1] else Image.BOX
    return Image.fromarray(image).resize((width, height), method)


def _write(page: Image.Image, text: str, middle: tuple[float, float]) -> None:
    font = ImageFont.truetype(findfont('DejaVu Sans'), 12)  # part of matplotlib
    ImageDraw.Draw(page).text(middle, text, 'black', font, anchor='mm')


def _framed(image: Image.Image, index: int) -> Image.Image:
    ImageDraw.Draw(image).rectangle((0, 0, image.width - 1, image.height - 1), outline=_color(index), width=FRAME)
    return image


def _mark(page: Image.Image, windows: list[tuple[slice, slice]], corner: tuple[int, int], scale: float) -> None:
    for i, (rows, columns) in enumerate(windows):
        ends = (columns.start, rows.start), (columns.stop, rows.stop)
        box = [tuple(round(start + scale * x) for start, x in zip(corner, end)) for end in ends]
        ImageDraw.Draw(page).rectangle(box, outline=_color(i), width=2)


def _color(index: int) -> str:
    return COLORS[index % len(COLORS)]
