"""Frames of video files, of streams and of cameras."""

import logging
import math
import os
import re
from urllib.parse import urlsplit

import cv2
import numpy as np
from mmengine.logging import print_log

from ..errors import SR4IRError
from ..utils.names import VIDEO_SUFFIXES
from .limits import check_size

#: kinds of addresses whose content is always a stream, and endings of streams at web addresses
_STREAMS, _STREAM_SUFFIXES = ('rtsp', 'rtsps', 'rtmp'), ('.m3u8', '.mjpg', '.mjpeg')
#: frames per second of a source that does not know its own
_FPS = 25.0


def is_video(name: object) -> bool:
    """Return whether a name stands for frames: a video file, the number of a camera, or the address of a stream."""
    if not isinstance(name, str):
        return False
    kind, is_address, _ = name.lower().partition('://')
    if not is_address:
        return name.lower().endswith(VIDEO_SUFFIXES) or _is_camera(name)
    return kind in _STREAMS or (
        kind in ('http', 'https') and urlsplit(name).path.lower().endswith(VIDEO_SUFFIXES + _STREAM_SUFFIXES)
    )


def shown(name: str) -> str:
    """Return the name of a source for messages and files: without a password, and of a camera more than a number."""
    return f'camera{name}' if _is_camera(name) else re.sub(r'://[^/@]*@', '://', name)


class Video:
    """Frames of a video file, a stream or a camera, read one by one.

    Args:
        path (str): File, address or number of a camera, see :func:`is_video`.
        every (int): Distance of the frames that are read; 1 for all.
        max_frames (int, optional): Largest number of frames that are read.

    Example:
        >>> video = Video('clip.mp4', every=5)
        >>> video.open()
        >>> frame = video.read()  # h x w x 3, uint8, BGR; None at the end
    """

    def __init__(self, path: str, every: int = 1, max_frames: int | None = None) -> None:
        self.path = path
        self.every = every
        self.max_frames = math.inf if max_frames is None else max_frames
        #: whether no frame is left, or none is wanted
        self.is_over = False
        #: frames per second of those that are read, 1 or more
        self.fps = _FPS
        self.size: tuple[int, ...] | None = None
        self._frames = self._passed = 0

    def open(self, max_pixels: float = math.inf) -> None:
        """Open the source.

        Args:
            max_pixels (float): Largest number of pixels of a frame, also in :meth:`read`.

        Raises:
            SR4IRError: If it cannot be read, or is too large. The message continues its name.
        """
        try:
            self._capture = self._open()
            size = map(self._capture.get, (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
            check_size(*map(int, size), max_pixels)
        except Exception:
            self.close()
            raise
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        fps = fps if 0 < fps <= 600 else _FPS  # webcams say 0, and some streams their clock
        self.fps = max(round(fps / self.every, 2), 1.0)  # MPEG-4 takes no finer ones

    def count(self) -> int | None:
        """Return how many frames will be read according to the file's header, or None if it is unknown."""
        limit = None if math.isinf(self.max_frames) else int(self.max_frames)
        if _is_camera(self.path) or '://' in self.path:
            return limit
        try:
            frames = self._announced(self._open())
        except SR4IRError:  # the message comes in its turn
            return 1
        wanted = math.ceil(frames / self.every) or None
        return min(wanted, limit) if wanted and limit else wanted or limit

    def read(self, max_pixels: float = math.inf) -> np.ndarray | None:
        """Return the next frame, h x w x 3, uint8, BGR, or None after the last one.

        Raises:
            SR4IRError: If no frame can be decoded, or the size of the frames changes, or is too large.
        """
        try:
            if self.is_over or self._frames >= self.max_frames or (frame := self._next()) is None:
                self.close()
                return None
            self._frames += 1
            self._check(frame, max_pixels)
        except SR4IRError:
            self.close()
            raise
        return frame

    def close(self) -> None:
        """Let go of the source."""
        self.is_over = True
        if hasattr(self, '_capture'):
            self._capture.release()

    def _check(self, frame: np.ndarray, max_pixels: float) -> None:
        self.size = self.size or frame.shape
        check_size(frame.shape[1], frame.shape[0], max_pixels)  # streams may have told no size
        if frame.shape != self.size:
            sizes = ' to '.join(f'{width} x {height} px' for height, width, _ in (self.size, frame.shape))
            raise SR4IRError(f'changes its size from {sizes}: cut the video there, and predict both parts')

    def _next(self) -> np.ndarray | None:
        skipped = self.every - 1 if self._frames else 0
        done = all(self._capture.grab() for _ in range(skipped))
        done, frame = self._capture.read() if done else (False, None)
        if done:
            self._passed += 1 + skipped
            return frame
        if not self._passed:  # the header is all there is
            raise SR4IRError(_why_not(self.path))
        announced = self._announced(self._capture)
        if announced - self._passed > self.every:
            text = f"video '{shown(self.path)}' ended at frame {self._passed}, but its header announces {announced}"
            print_log(text, 'current', logging.WARNING)
        return None

    def _open(self) -> cv2.VideoCapture:
        name: str | int = self.path
        if _is_camera(self.path):
            capture = cv2.VideoCapture(int(self.path))
        else:
            if '://' not in self.path:
                name = _checked_file(self.path)
            # no other library of OpenCV's: one takes names for programs that it runs
            capture = cv2.VideoCapture(name, cv2.CAP_FFMPEG)
        if not capture.isOpened():
            raise SR4IRError(_why_not(self.path))
        return capture

    def _announced(self, capture: cv2.VideoCapture) -> int:
        count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
        return int(count) if 0 < count < 2**31 else 0


def _is_camera(name: str) -> bool:
    # images in memory have names of six digits
    return name.isdecimal() and len(name) < 3 and not os.path.exists(name)


def _checked_file(path: str) -> str:
    """Return the absolute path of a file, which FFmpeg cannot take for an address or a list of files."""
    if not os.path.exists(path):
        raise SR4IRError('cannot be read (No such file or directory)')
    if not os.path.isfile(path):
        raise SR4IRError('is a folder, a pipe or a device: name a file, or the number of a camera')
    try:
        with open(path, 'rb') as file:
            begin = file.read(8)
    except OSError as error:
        raise SR4IRError(f'cannot be read ({error.strerror})') from error
    if begin == b'ffconcat':  # FFmpeg goes by the content
        raise SR4IRError('is a list of videos: name the videos themselves')
    return os.path.abspath(path)


def _why_not(path: str) -> str:
    if _is_camera(path):
        return 'cannot be opened: no camera has this number, or another program uses it'
    if '://' in path:
        return 'cannot be opened: the address is wrong, the server does not answer, or OpenCV cannot decode its stream'
    return 'is not a video that OpenCV can decode: it is damaged, empty, or its codec is missing; convert it to MP4'
