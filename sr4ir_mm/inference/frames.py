"""Options of a run that has videos among its images."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from ..errors import SR4IRError
from ..utils import check_number
from .overlap import thread
from .video import Video, is_video
from .video_files import VideoFiles


def frame_options(
    images: Sequence[str | np.ndarray], every: int = 1, max_frames: int | None = None, save_frames: bool = False
) -> dict:
    """Check options that are for frames of videos.

    Returns:
        dict: Arguments of :class:`Video`.

    Raises:
        SR4IRError: If a number is wrong, or an option has no effect because no video is among the images.
    """
    check_number('SR4IRInferencer', low=1, whole=True, every=every, max_frames=1 if max_frames is None else max_frames)
    given = dict(every=every != 1, max_frames=max_frames is not None, save_frames=save_frames)
    if any(given.values()) and not any(map(is_video, images)):
        name = next(name for name, is_given in given.items() if is_given)
        raise SR4IRError(
            f'{name} (--{name.replace("_", "-")}) is for videos, and none is among the images: leave it out.'
        )
    return dict(every=every, max_frames=max_frames)


def count_all(images: Sequence[str | np.ndarray], sampling: dict) -> int | None:
    """Return the number of images and frames, or None if that of a stream is unknown."""
    counts = [Video(image, **sampling).count() if is_video(image) else 1 for image in images]
    return None if None in counts else sum(counts)


@contextmanager
def video_files(out_dir: str) -> Iterator[VideoFiles]:
    """Complete the videos of results at the end, and end the thread that writes them."""
    with thread('encodes') as pool, closing(VideoFiles(Path(out_dir), pool)) as videos:
        yield videos
