"""The visualizers of the zoos, with one rendering for each picture."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.text import Text
from mmengine.structures import PixelData
from mmengine.visualization import Visualizer

from .texts import MARGIN, SMALLEST, fit

#: what is replaced of MMEngine's visualizer, and of those of the zoos; that of users stays
_CANVAS, _MAPS = ('set_image', 'get_image', 'draw_binary_masks'), ('_draw_sem_seg', '_get_center_loc')


class QuickDrawing:
    """A canvas that replaces MMEngine's, in front of any visualizer of matplotlib.

    MMEngine makes new axes with ticks, which nobody sees, for each image, and renders them with each picture. Here the
    image is copied, and only what lies on it is rendered. Pixels are the same. Artists that a visualizer adds to
    ``ax_save`` itself are drawn too.
    """

    _picture: np.ndarray | None = None
    #: smallest height of a label, and its distance from the edge of the picture, px
    smallest_text: float = SMALLEST
    text_margin: int = MARGIN

    def set_image(self, image: np.ndarray) -> None:
        """Start a picture with an image, H x W x 3, uint8, RGB."""
        self._image = image = image.astype(np.uint8)
        self._picture = None
        self.height, self.width = image.shape[:2]
        self._default_font_size = max(np.sqrt(self.height * self.width) // 90, 10)
        axes: Axes = self.ax_save
        for artist in _artists(axes):
            artist.remove()
        axes.add_artist(_Background(image))
        # 0.01 px as in MMEngine: matplotlib rounds sizes down
        size = (self.width + 1e-2) / self.dpi, (self.height + 1e-2) / self.dpi
        limits = dict(xlim=(0, self.width), ylim=(self.height, 0), autoscale_on=False)
        if {name: getattr(axes, f'get_{name}')() for name in limits} != limits or size != tuple(
            self.fig_save.get_size_inches()
        ):
            self.fig_save.set_size_inches(size)
            # boxes that reach beyond the image do not move it, as they do from matplotlib 3.11 on
            axes.set(**limits)

    def get_image(self) -> np.ndarray:
        """Return the picture, H x W x 3, uint8, RGB."""
        if self.ax_save.stale or self._picture is None:  # zoos ask twice for the same picture
            self._picture = self._render()
            self.ax_save.stale = False
        return self._picture.copy()

    def _render(self) -> np.ndarray:
        artists = sorted(_artists(self.ax_save), key=lambda artist: artist.get_zorder())
        if [type(artist) for artist in artists] == [_Background]:
            return self._image
        renderer = self.fig_save_canvas.get_renderer()
        for artist in artists:
            if isinstance(artist, Text):
                fit(artist, renderer, (self.width, self.height), self.smallest_text, self.text_margin)
            artist.draw(renderer)
        return np.asarray(renderer.buffer_rgba())[..., :3].copy()

    def draw_binary_masks(self, binary_masks: Any, *args: Any, **kwargs: Any) -> Visualizer:
        """Draw masks, see MMEngine; the image with them takes the place of the image."""
        super().draw_binary_masks(binary_masks, *args, **kwargs)  # type: ignore[misc]
        *_, drawn = self.ax_save.images
        self.ax_save.add_artist(_Background(np.asarray(drawn.get_array())))
        drawn.remove()
        return self

    def _draw_sem_seg(
        self, image: np.ndarray, sem_seg: PixelData, classes: Sequence[str], palette: Sequence, *with_labels: bool
    ) -> np.ndarray:
        """Draw a map of classes as mmseg and mmdet do, for which NumPy is faster than PyTorch.

        mmseg mixes white names with the colors of the classes, and cuts them off at the edges.
        """
        draw, maps = super()._draw_sem_seg, sem_seg.numpy()  # type: ignore[misc]
        if not with_labels:  # mmdet's
            return draw(image, maps, classes, palette)
        draw(image, maps, classes, palette, False)
        if with_labels[0]:
            self._write_names(maps.data[0], classes, palette)
        return self.get_image()

    def _write_names(self, labels: np.ndarray, classes: Sequence[str], palette: Sequence) -> None:
        size = max(self.smallest_text, min(self.height, self.width) / 25) * 72 / self.dpi  # from px to points
        for label in np.unique(labels):
            if label < len(classes) and classes[label]:
                frame = dict(facecolor='black', edgecolor=np.array(palette[label]) / 255, pad=1)
                place = self._get_center_loc((labels == label).astype(np.uint8))
                self.draw_texts(classes[label], place, size, 'w', 'center', 'center', bboxes=frame)

    def _get_center_loc(self, mask: np.ndarray) -> np.ndarray:
        """Return x and y of the label of a class: the pixel that is furthest from other classes and the edges.

        mmseg takes the longest row of the class, for which it sorts all pixels.
        """
        inside = cv2.distanceTransform(np.pad(mask, 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
        furthest = np.argwhere(inside == inside.max())
        middle = np.abs(furthest - furthest.mean(0)).sum(1).argmin()  # of many, in a band
        return furthest[middle, ::-1].copy()


class _Background(Artist):
    """An image that covers the whole picture, of which it has the size."""

    zorder = 0

    def __init__(self, image: np.ndarray) -> None:
        super().__init__()
        self.image = image

    def draw(self, renderer: Any) -> None:
        picture = np.asarray(renderer.buffer_rgba())
        picture[..., :3], picture[..., 3] = self.image, 255


def quick(visualizer: Visualizer) -> Visualizer:
    """Return a twin of a visualizer that draws the same pictures faster.

    Args:
        visualizer (Visualizer): Visualizer. One with a canvas of its own is returned as it is.
    """
    kind = type(visualizer)
    if any(getattr(kind, name) is not getattr(Visualizer, name) for name in _CANVAS):
        return visualizer
    own = {name: getattr(kind, name) for name in _MAPS if not _is_of_zoos(getattr(kind, name, None))}
    twin = copy.copy(visualizer)
    twin.__class__ = type(f'Quick{kind.__name__}', (QuickDrawing, kind), own)
    return twin


def _is_of_zoos(function: Callable | None) -> bool:
    return function is None or function.__module__.startswith(('mmseg.', 'mmdet.'))


def _artists(axes: Axes) -> list:
    """Return what was drawn: all but the frame, the axes and the titles."""
    fixed = {*axes.spines.values(), axes.xaxis, axes.yaxis, axes.title, axes.patch}
    drawn = [*axes.images, *axes.collections, *axes.patches, *axes.lines, *axes.texts, *axes.artists, *axes.tables]
    drawn.append(axes.get_legend())
    return [artist for artist in axes.get_children() if artist in drawn and artist not in fixed]
