"""Reading, predicting and writing at the same time, in batches of equal images, with results in the order of inputs."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import SR4IRError
from .images import read_image, skip, unique_names
from .video import Video, is_video, shown

if TYPE_CHECKING:
    from ..scenes.scene import Scene

#: number of batches among whose images those of one size are searched
WINDOW = 4
#: pixels of SR images up to which results wait for earlier ones, about 20 bytes each
WAITING_PIXELS = 2**24


@dataclass
class Job:
    """One image on its way.

    Args:
        name (str): Unique name for the results.
        path (str): Name of the image.
        image (np.ndarray or Scene, optional): LR image, h x w x 3, uint8, BGR, or the scene that it is; None if it
            cannot be read.
        reason (str): Why the image has no result; it continues its name.
        result (Future, optional): What is made of the image in the end.
        video (Video, optional): Video that the image is a frame of.
    """

    name: str
    path: str
    image: 'np.ndarray | Scene | None' = None
    reason: str = ''
    result: Future | None = None
    video: Video | None = None

    @property
    def is_done(self) -> bool:
        """Whether the image was predicted, or will not be."""
        return bool(self.reason) or self.result is not None

    @property
    def source(self) -> str:
        """Name of the image, or of the video that it is a frame of."""
        return self.name.rpartition('/')[0] if self.video else self.name

    @property
    def is_scene(self) -> bool:
        """Whether the image is predicted in windows."""
        return self.image is not None and not isinstance(self.image, np.ndarray)

    @property
    def size(self) -> tuple[int, ...]:
        """Height and width of the image in LR pixels."""
        return self.image.size if self.is_scene else self.image.shape[:2]

    @property
    def pixels(self) -> int:
        """Number of LR pixels."""
        return 0 if self.image is None else self.size[0] * self.size[1]

    def skip(self, skipped: dict[str, str]) -> None:
        """Log and note why the image has no result. Then the other frames of its video have none either."""
        skip(self.path, self.reason, skipped)
        if self.video:
            self.video.is_over = True

    def finish(self, result: Any) -> None:
        """Keep a result until it is the image's turn."""
        self.result = Future()
        self.result.set_result(result)

    def fail(self, error: Exception) -> None:
        """Keep an error until it is the image's turn."""
        self.result = Future()
        self.result.set_exception(error)


@contextmanager
def thread(name: str) -> Iterator[ThreadPoolExecutor]:
    """Start a thread for work of one kind; at the end the work that waits is dropped."""
    pool = ThreadPoolExecutor(1, thread_name_prefix=f'sr4ir_{name}')
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def read_ahead(
    images: Sequence[str | np.ndarray],
    max_pixels: float,
    pool: ThreadPoolExecutor,
    names: Sequence[str] | None = None,
    read: Callable | None = None,
    **options: Any,
) -> Iterator[Job]:
    """Read images and frames of videos, each while the one before is used.

    Args:
        images (Sequence[str or np.ndarray]): Files, URLs and arrays, see :func:`read_image`; and videos.
        max_pixels (float): Largest number of pixels of an image; larger ones are skipped before they are decoded.
        pool (ThreadPoolExecutor): Thread that reads.
        names (Sequence[str], optional): Unique names for their results; by default those of :func:`unique_names`.
        read (Callable, optional): Function that reads images, or opens the scenes that they are; by default
            :func:`read_image`.
        **options: Arguments of :class:`Video`.

    Yields:
        Job: An image, or the reason why it cannot be read.
    """
    waiting: deque[tuple[Job, Future]] = deque()
    for image, name in zip(images, unique_names(images) if names is None else names):
        for job, open_ in (
            _frames(Video(image, **options), name) if is_video(image) else [_image(image, name, read or read_image)]
        ):
            waiting.append((job, pool.submit(open_, max_pixels)))
            if len(waiting) > 2:
                yield from _read(*waiting.popleft())
    while waiting:
        yield from _read(*waiting.popleft())


def in_order(
    jobs: Iterable[Job], batch_size: int, predict: Callable[[list[Job]], Any], max_pixels: int
) -> Iterator[Job]:
    """Predict images in batches of one size each, and one batch ahead, during which results are written.

    Args:
        jobs (Iterable[Job]): Images.
        batch_size (int): Largest number of images in a batch. Those of one size are searched among
            :data:`WINDOW` times as many.
        predict (Callable): Function that sets ``result`` or ``reason`` of each image of a batch.
        max_pixels (int): LR pixels above which not more images are held than make one batch.

    Yields:
        Job: Images in the order of ``jobs``.
    """
    jobs, window = iter(jobs), deque[Job]()
    while _fill(window, jobs, batch_size, max_pixels):
        first = None if window[0].reason else _next(window, batch_size, max_pixels)
        if first is None:
            yield window.popleft()
            continue
        same = [first]  # a scene is a batch of its own windows
        if not first.is_scene:
            same = [job for job in window if not (job.is_done or job.is_scene) and job.size == first.size]
        try:
            predict(same[:batch_size])
        except Exception as error:  # it is raised in the image's turn: those before have results
            for job in same[:batch_size]:
                job.fail(error)


def _fill(window: deque[Job], jobs: Iterator[Job], batch_size: int, max_pixels: int) -> bool:
    """Read images into the window, and return whether it holds any."""
    ready = [job for job in window if not job.is_done]
    while not any(job.is_scene for job in ready) and (
        len(ready) < batch_size or (batch_size > 1 and _may_grow(window, len(ready), batch_size, max_pixels))
    ):
        if (job := next(jobs, None)) is None:
            break
        window.append(job)
        ready += [] if job.is_done else [job]
    return bool(window)


def _may_grow(window: deque[Job], ready: int, batch_size: int, max_pixels: int) -> bool:
    return ready < WINDOW * batch_size and sum(job.pixels for job in window) < max_pixels


def _next(window: deque[Job], batch_size: int, max_pixels: int) -> Job | None:
    """Return the image whose batch is next, or None if a result should be taken first."""
    first = next((job for job in window if not job.is_done), None)
    waiting = [job.pixels for job in window if job.result]
    is_ahead = len(waiting) > batch_size or sum(waiting) > max_pixels or (window[0].is_scene and window[0].is_done)
    return None if is_ahead and first is not window[0] else first


def _image(image: str | np.ndarray, name: str, read: Callable) -> tuple[Job, Callable]:
    return Job(name, image if isinstance(image, str) else name), partial(read, image)


def _frames(video: Video, name: str) -> Iterator[tuple[Job, Callable]]:
    """Yield a job that opens the video, and one for each frame until the video is over."""
    yield Job(name, video.path, video=video), video.open
    for number in count(step=video.every):
        if video.is_over:
            return
        yield Job(f'{name}/{number:06d}', f'{shown(video.path)}#{number}', video=video), video.read


def _read(job: Job, image: Future) -> Iterator[Job]:
    """Yield the job when its image is read, if there is one: not after the end of a video."""
    try:
        job.image = image.result()
    except SR4IRError as error:
        job.reason = str(error)
    except Exception as error:  # raised in the image's turn, too
        job.fail(error)
    if job.is_done or job.image is not None:
        yield job
