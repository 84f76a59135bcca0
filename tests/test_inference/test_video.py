"""Videos, streams and cameras are read frame by frame, and only what may be opened is opened."""

import functools
import http.server
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.inference import video
from sr4ir_mm.inference.images import list_images, unique_names
from sr4ir_mm.inference.overlap import read_ahead, thread
from sr4ir_mm.inference.video import Video, is_video, shown
from sr4ir_mm.inference.video_files import VideoFile
from sr4ir_mm.utils.names import IMAGE_SUFFIXES, VIDEO_SUFFIXES

STEP = 8


def make_video(path: Path, frames: int = 10, size: tuple[int, int] = (16, 24), fps: float = 12.5) -> str:
    """Write a video whose n-th frame has the gray level ``STEP * n``; ``.avi`` without loss."""
    path.parent.mkdir(parents=True, exist_ok=True)
    codec = cv2.VideoWriter.fourcc(*('FFV1' if path.suffix == '.avi' else 'mp4v'))
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, codec, fps, size[::-1])
    assert writer.isOpened()
    for number in range(frames):
        writer.write(np.full((*size, 3), STEP * (number % 30), np.uint8))
    writer.release()
    return str(path)


def levels(source: Video) -> list[int]:
    source.open()
    found = []
    while (frame := source.read()) is not None:
        found.append(round(frame.mean() / STEP))
    assert source.read() is None and source.is_over
    return found


@pytest.mark.parametrize('suffix', ['.mp4', '.avi'])
@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        ({}, list(range(10))),
        (dict(every=3), [0, 3, 6, 9]),
        (dict(every=4), [0, 4, 8]),
        (dict(max_frames=2), [0, 1]),
        (dict(every=4, max_frames=2), [0, 4]),
        (dict(max_frames=99), list(range(10))),
    ],
    ids=str,
)
def test_frames(tmp_path, suffix, options, expected):
    source = Video(make_video(tmp_path / f'x{suffix}'), **options)
    assert source.count() == len(expected)
    assert levels(source) == expected
    assert source.fps == pytest.approx(12.5 / options.get('every', 1), abs=0.006)


@pytest.mark.parametrize(('fps', 'every', 'expected'), [(119.8137, 1, 119.81), (29.97003, 2, 14.99), (25, 1000, 1.0)])
def test_frame_rates_that_can_be_written(tmp_path, fps, every, expected):
    source = Video(make_video(tmp_path / 'x.mp4', 2, fps=fps), every)
    source.open()
    assert source.fps == pytest.approx(expected, abs=0.011)
    file = VideoFile(tmp_path / 'y.mp4', source.fps, (16, 24))
    file.write(np.zeros((16, 24, 3), np.uint8))
    file.close()
    assert cv2.VideoCapture(str(tmp_path / 'y.mp4')).get(cv2.CAP_PROP_FPS) == pytest.approx(source.fps, abs=0.001)


@pytest.mark.parametrize('suffix', ['.mp4', '.avi', '.mkv'])
@pytest.mark.parametrize('content', [b'', b'nonsense' * 100])
def test_a_damaged_video_is_named_as_such(tmp_path, suffix, content):
    path = tmp_path / f'x{suffix}'
    path.write_bytes(content)
    with pytest.raises(SR4IRError, match='is not a video that OpenCV can decode: it is damaged, empty, or its codec'):
        Video(str(path)).open()


def cut_after_header(path: Path) -> str:
    """Write an AVI that OpenCV opens, although no frame follows its header."""
    content = Path(make_video(path)).read_bytes()
    path.write_bytes(content[: content.index(b'movi') + 4])
    return str(path)


def test_a_video_without_frames_is_named_as_damaged(tmp_path, monkeypatch):
    messages = []
    monkeypatch.setattr(video, 'print_log', lambda text, *args: messages.append(text))
    source = Video(cut_after_header(tmp_path / 'x.avi'))
    source.open()
    with pytest.raises(SR4IRError, match='is not a video that OpenCV can decode: it is damaged, empty'):
        source.read()
    assert source.is_over and source.read() is None and not messages  # said once


def test_a_video_that_ends_early_is_reported(tmp_path, monkeypatch):
    path = make_video(tmp_path / 'x.mp4')
    messages = []
    monkeypatch.setattr(video, 'print_log', lambda text, *args: messages.append(text))
    assert len(levels(Video(path))) == 10 and not messages
    monkeypatch.setattr(Video, '_announced', lambda self, capture: 40)
    assert len(levels(Video(path, max_frames=5))) == 5 and not messages  # as asked for
    assert len(levels(Video(path))) == 10
    assert messages == [f"video '{path}' ended at frame 10, but its header announces 40"]


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        ('a/x.MP4', True), ('x.webm', True), ('x.png', False), ('x.gif', False), ('7', True), ('-1', False),
        ('000001', False),
        ('rtsp://host/stream', True), ('https://host/x.mp4?key=1', True), ('http://host/live.m3u8', True),
        ('http://host/x.png?y=.mp4', False), ('http://host/', False), ('ftp://host/x.mp4', False),
        ('s3://bucket/x.mp4', False), ('file:///x.mp4', False), ('tcp://host:1/x.mp4', False),
        ('concat://a.mp4', False), (np.zeros((1, 1, 3), np.uint8), False),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_a_video(name, expected):
    assert is_video(name) is expected


def test_a_file_named_as_a_number_is_no_camera(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path('7').touch()
    assert not is_video('7') and is_video('8')


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        ('no/such.mp4', 'cannot be read .No such file'),
        ('concat:a.mp4|b.mp4', 'cannot be read .No such file'),
        ('subfile,,start,0,end,0,,:/etc/x.mp4', 'cannot be read .No such file'),
        ('videotestsrc ! appsink name=x.mp4', 'cannot be read .No such file'),
        ('image_%03d.mp4', 'cannot be read .No such file'),
        ('folder.mp4', 'is a folder, a pipe or a device'),
        ('99', 'no camera has this number'),
        ('rtsp://127.0.0.1:1/x', 'the address is wrong, the server does not answer'),
        ('http://127.0.0.1:1/x.mp4', 'the address is wrong, the server does not answer'),
    ],
)
def test_what_cannot_be_opened(tmp_path, monkeypatch, name, message):
    monkeypatch.chdir(tmp_path)
    Path('folder.mp4').mkdir()
    for part in ('a.mp4', 'b.mp4', 'image_001.mp4'):
        make_video(Path(part), frames=2)
    with pytest.raises(SR4IRError, match=message):
        Video(name).open()


def test_a_list_of_files_is_no_video(tmp_path):
    make_video(tmp_path / 'b.mp4')
    (tmp_path / 'list.mp4').write_text('ffconcat version 1.0\nfile b.mp4\n')
    source = Video(str(tmp_path / 'list.mp4'))
    assert source.count() == 1  # the message comes in its turn
    with pytest.raises(SR4IRError, match='is a list of videos: name the videos themselves'):
        source.open()


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    def refuse(*args):
        raise PermissionError(13, 'Permission denied')

    path = make_video(tmp_path / 'x.mp4')
    monkeypatch.setattr(video, 'open', refuse, raising=False)
    with pytest.raises(SR4IRError, match=r'cannot be read .Permission denied'):
        Video(path).open()


def test_the_name_of_a_file_is_never_a_protocol(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_video(tmp_path / 'x.mp4', frames=3)
    Path('x.mp4').rename('data:x.mp4')
    assert len(levels(Video('data:x.mp4'))) == 3


def test_addresses(tmp_path):
    make_video(tmp_path / 'x.mp4', frames=5)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        source = Video(f'http://127.0.0.1:{server.server_port}/x.mp4')
        assert source.count() is None  # not asked twice
        assert levels(source) == list(range(5))
        with pytest.raises(SR4IRError, match='the address is wrong'):
            Video(f'http://127.0.0.1:{server.server_port}/y.mp4').open()
        server.shutdown()


def test_passwords_are_not_shown():
    assert shown('rtsp://me:secret@host:554/a') == 'rtsp://host:554/a' and shown('3') == 'camera3'
    assert unique_names(['rtsp://me:secret@host', '0', 'a/clip.mp4', 'clip.png']) == [
        'host',
        'camera0',
        'clip',
        'clip_2',
    ]


def test_large_and_changing_frames(tmp_path, monkeypatch):
    path = make_video(tmp_path / 'x.avi')
    with pytest.raises(SR4IRError, match='has 24 x 16 pixels, but at most 100 are allowed'):
        Video(path).open(max_pixels=100)
    source = Video(path)
    source.open()
    source.read()
    monkeypatch.setattr(source, '_next', lambda: np.zeros((8, 24, 3), np.uint8))
    with pytest.raises(SR4IRError, match='changes its size from 24 x 16 px to 24 x 8 px'):
        source.read()
    assert source.read() is None


def test_frames_are_jobs_among_images(tmp_path):
    images = [np.zeros((4, 4, 3), np.uint8), make_video(tmp_path / 'x.avi', frames=4), str(tmp_path / 'y.mp4'), '1.png']
    with thread('reads') as reader:
        jobs = list(read_ahead(images, 10**6, reader, every=2))
    assert [job.name for job in jobs] == ['000000', 'x/000000', 'x/000002', 'y', '1']
    assert [job.path for job in jobs[1:3]] == [f'{tmp_path}/x.avi#0', f'{tmp_path}/x.avi#2']
    assert [job.source for job in jobs[:3]] == ['000000', 'x', 'x'] and jobs[1].video is jobs[2].video
    assert 'No such file' in jobs[3].reason and jobs[3].path == images[2]


def test_few_frames_are_in_memory(tmp_path):
    path = make_video(tmp_path / 'x.avi', frames=30)
    with thread('reads') as reader:
        jobs = read_ahead([path], 10**6, reader)
        for number, job in zip(range(20), jobs):
            reader.submit(int).result()  # what waits is done
            assert job.video._frames <= number + 3
        job.video.is_over = True
        assert len(list(jobs)) <= 3


def test_folders_with_videos_and_subfolders(tmp_path, monkeypatch):
    for name in ('b.png', 'a.mp4', 'sub/a.png', 'sub/b.png', '.hidden/x.png', 'out/sr/x.png', 'x.txt'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / 'loop').symlink_to(tmp_path)
    suffixes, out = IMAGE_SUFFIXES + VIDEO_SUFFIXES, str(tmp_path / 'out')
    assert list_images(tmp_path) == [str(tmp_path / 'b.png')]
    assert list_images(tmp_path, suffixes) == [str(tmp_path / name) for name in ('a.mp4', 'b.png')]
    found = list_images(tmp_path, suffixes, True, out)
    assert found == [str(tmp_path / name) for name in ('a.mp4', 'b.png', 'sub/a.png', 'sub/b.png')]
    assert unique_names(found, True) == ['a', 'b', 'sub/a', 'sub/b']
    monkeypatch.chdir(tmp_path)
    assert [Path(path).name for path in list_images('.', suffixes, True, 'out')] == ['a.mp4', 'b.png', 'a.png', 'b.png']
    with pytest.raises(SR4IRError, match=r"'.*/\.hidden/y' itself, without its subfolders"):
        (tmp_path / '.hidden/y').mkdir()
        list_images(tmp_path / '.hidden/y')


def test_frames_and_the_images_of_a_folder_of_the_same_name(tmp_path):
    for name in ('a/000000.png', 'a.mp4', 'b.png'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = list_images(tmp_path, IMAGE_SUFFIXES + VIDEO_SUFFIXES, recursive=True)
    assert unique_names(found, True) == ['a_2', 'b', 'a/000000']  # frames: a_2/000000


def test_a_camera(monkeypatch):
    """A source that never ends and says 0 frames per second."""

    class Camera:
        def __init__(self, name, *args):
            assert name == 3

        def isOpened(self):
            return True

        def get(self, name):
            return 0.0

        def read(self):
            return True, np.zeros((4, 4, 3), np.uint8)

        def release(self):
            pass

    monkeypatch.setattr(cv2, 'VideoCapture', Camera)
    assert list_images(3) == ['3'] and Video('3').count() is None and Video('3', max_frames=5).count() == 5
    with thread('reads') as reader:
        jobs = list(read_ahead(['3'], 10**6, reader, max_frames=5))
    assert [job.name for job in jobs] == [f'camera3/{number:06d}' for number in range(5)]
    assert jobs[0].video.fps == 25
