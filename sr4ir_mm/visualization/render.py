"""A panel as one picture."""

import numpy as np
from matplotlib.font_manager import findfont
from PIL import Image, ImageDraw, ImageFont

from .panel import Panel

COLOURS = ('#f28e2b', '#b07aa1', '#59a14f', '#e15759')  # of the windows
TITLE, GAP, FRAME = 22, 4, 4  # above a picture, between two, around a window; px


def render(panel: Panel, width: int = 300) -> np.ndarray:
    """Rows of pictures with titles, and below them the windows enlarged, each framed in its own colour.

    Args:
        panel (Panel): What to show.
        width (int): Of each picture, in px.

    Returns:
        np.ndarray: H x W x 3, uint8, RGB.
    """
    images, drawn = list(panel.images.items()), list(panel.drawn.items())
    shown = [images[0][1], *(image for _, image in drawn[1:])]  # LR, and what T makes of the others
    height = max(1, round(width * shown[0].shape[0] / shown[0].shape[1]))
    rows, rest = 2, len(panel.windows)
    size = GAP + len(images) * (width + GAP), rows * (TITLE + height) + rest * (height + GAP) + GAP
    page = Image.new('RGB', size, 'white')
    draw = ImageDraw.Draw(page)
    font = ImageFont.truetype(findfont('DejaVu Sans'), 12)  # which comes with matplotlib
    for i, row in enumerate((images, drawn)):
        top = i * (TITLE + height)
        for j, (title, image) in enumerate(row):
            left = GAP + j * (width + GAP)
            draw.text((left + width / 2, top + TITLE / 2), title, 'black', font, anchor='mm')
            page.paste(_fit(image, width, height), (left, top + TITLE))
            if i and j:
                _mark(draw, panel.windows, (left, top + TITLE), width / image.shape[1])
    for i, window in enumerate(panel.windows):
        top = rows * (TITLE + height) + GAP + i * (height + GAP)
        for j, image in enumerate(shown):
            left = GAP + j * (width + GAP)
            page.paste(_fit(image[window], width, height), (left, top))
            draw.rectangle((left, top, left + width - 1, top + height - 1), outline=_colour(i), width=FRAME)
    return np.asarray(page)


def _fit(image: np.ndarray, width: int, height: int) -> Image.Image:
    enlarges = width >= image.shape[1]
    return Image.fromarray(image).resize((width, height), Image.NEAREST if enlarges else Image.BOX)


def _mark(draw: ImageDraw.ImageDraw, windows: list[tuple[slice, slice]], corner: tuple, scale: float) -> None:
    for i, (rows, columns) in enumerate(windows):
        ends = [(columns.start, rows.start), (columns.stop, rows.stop)]
        box = [tuple(round(start + scale * x) for start, x in zip(corner, end)) for end in ends]
        draw.rectangle(box, outline=_colour(i), width=2)


def _colour(index: int) -> str:
    return COLOURS[index % len(COLOURS)]
