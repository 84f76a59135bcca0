"""Videos of results, written frame by frame."""

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np

from ..errors import SR4IRError
from ..utils import new_file

#: MPEG-4, which every build of OpenCV with FFmpeg writes
_CODEC = 'mp4v'


class VideoFile:
    """One video on its way to a file; it gets its name when it is closed, see :func:`new_file`.

    Args:
        path (Path): File, '.mp4'.
        fps (float): Frames per second.
        size (tuple[int, int]): Height and width.

    Raises:
        SR4IRError: If OpenCV cannot write such a video.
    """

    def __init__(self, path: Path, fps: float, size: tuple[int, int]) -> None:
        self.path = path
        self.frames = 0
        even = tuple(side + side % 2 for side in size)  # FFmpeg would cut off odd rows and columns
        with ExitStack() as stack:
            self.partial = stack.enter_context(new_file(path))
            codec = cv2.VideoWriter.fourcc(*_CODEC)
            self.writer = cv2.VideoWriter(str(self.partial), cv2.CAP_FFMPEG, codec, fps, even[::-1])
            if not self.writer.isOpened():
                raise SR4IRError(
                    f"'{path}' cannot be written: OpenCV writes no MPEG-4 video of {size[1]} x {size[0]} px here. "
                    'Write frames as images: save_frames (--save-frames).'
                )
            self.stack = stack.pop_all()

    def write(self, image: np.ndarray) -> None:
        """Append a frame, H x W x 3, uint8, RGB."""
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        height, width = image.shape[:2]
        self.writer.write(cv2.copyMakeBorder(bgr, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE))
        self.frames += 1

    def close(self) -> None:
        """Complete the file.

        Raises:
            SR4IRError: If it does not hold all frames: OpenCV does not say so.
        """
        self.writer.release()
        with self.stack:
            found = cv2.VideoCapture(str(self.partial), cv2.CAP_FFMPEG).get(cv2.CAP_PROP_FRAME_COUNT)
            if found < self.frames:
                raise SR4IRError(
                    f"'{self.path}' cannot be written: it has {max(int(found), 0)} of {self.frames} frames. Make room, "
                    'or choose another folder.'
                )


class VideoFiles:
    """Videos of one source after the other, written in a thread while the next frames are predicted.

    Args:
        folder (Path): Folder of all results.
        pool (ThreadPoolExecutor): Thread that writes.
    """

    def __init__(self, folder: Path, pool: ThreadPoolExecutor) -> None:
        self.folder = folder
        self.pool = pool
        self.name = ''
        self.files: dict[str, VideoFile] = {}
        self.pending: list[Future] = []

    def write(self, name: str, fps: float, images: dict[str, np.ndarray | None]) -> None:
        """Append a frame to ``<subfolder>/<name>.mp4`` for each image that is not None.

        Args:
            name (str): Name of the source.
            fps (float): Frames per second.
            images (dict[str, np.ndarray or None]): Images by subfolder, H x W x 3, uint8, RGB.
        """
        if name != self.name:
            self.close()
            self.name = name
        self._wait()
        self.pending = [self.pool.submit(self._write, fps, *entry) for entry in images.items() if entry[1] is not None]

    def close(self) -> None:
        """Complete the videos of the last source, also if the run ends before it does."""
        try:
            self._wait()
        finally:
            files, self.files = self.files, {}
            with ExitStack() as stack:  # each one, also if another fails
                for file in files.values():
                    stack.callback(file.close)

    def _write(self, fps: float, subfolder: str, image: np.ndarray) -> None:
        if subfolder not in self.files:
            path = self.folder / subfolder / f'{self.name}.mp4'
            self.files[subfolder] = VideoFile(path, fps, image.shape[:2])
        self.files[subfolder].write(image)

    def _wait(self) -> None:
        pending, self.pending = self.pending, []
        for frame in pending:
            frame.result()
