"""A panel as one picture."""

import numpy as np
import pytest
from PIL import ImageColor

from sr4ir_mm.visualization import Panel, render
from sr4ir_mm.visualization.render import COLORS, FRAME, GAP, TITLE


def make_test_panel(height: int, width: int, windows: int = 2) -> Panel:
    images = {title: np.full((height, width, 3), 10 + i, np.uint8) for i, title in enumerate('abcd')}
    drawn = {title: np.full((height, width, 3), 110 + i, np.uint8) for i, title in enumerate('efgh')}
    for picture in (*images.values(), *drawn.values()):
        picture[: height // 3, : width // 3] += 50
    return Panel(
        images, drawn, [(slice(0, height // 3), slice(0, width // 3)), (slice(30, 40), slice(30, 40))][:windows]
    )


def cell(page: np.ndarray, top: int, column: int, side: int = 60) -> np.ndarray:
    left = GAP + column * (side + GAP)
    return page[top : top + side, left : left + side]


def test_rows():
    page = render(make_test_panel(60, 60), width=60)
    assert page.shape == (2 * (TITLE + 60) + GAP + 2 * (60 + GAP), GAP + 4 * (60 + GAP), 3) and page.dtype == np.uint8
    for column in range(4):
        images, drawn = cell(page, TITLE, column), cell(page, 2 * TITLE + 60, column)
        assert (images[25:] == 10 + column).all() and (images[:20, :20] == 60 + column).all()
        assert (drawn[45:] == 110 + column).all()
        assert (page[:TITLE, GAP + column * 64 :][:, :60] < 128).any()  # a title
        orange = (drawn == ImageColor.getrgb(COLORS[0])).all(-1).any()
        assert orange == (column > 0)  # the windows are marked in the predictions, not in the difference map
    for i, top in enumerate((2 * (TITLE + 60) + GAP, 2 * (TITLE + 60) + GAP + 60 + GAP)):
        for column, value in enumerate((60, 161, 162, 163) if i == 0 else (10, 111, 112, 113)):
            crop = cell(page, top, column)
            assert (crop[FRAME:-FRAME, FRAME:-FRAME] == value).all()  # LR, then the predictions, enlarged
            assert (crop[:FRAME] == ImageColor.getrgb(COLORS[i])).all()


@pytest.mark.parametrize('size', [(600, 900), (5, 3), (1, 400)])
def test_any_size(size):
    page = render(make_test_panel(*size, windows=0))
    height = max(1, round(300 * size[0] / size[1]))
    assert page.shape == (2 * (TITLE + height) + GAP, GAP + 4 * 304, 3)
