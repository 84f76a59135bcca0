"""Images of every kind are read as h x w x 3, uint8, BGR."""

import functools
import http.server
import threading

import cv2
import numpy as np
import pytest

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.inference.images import list_images, read_image, unique_names

LEVELS = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5


def written(path, image):
    assert cv2.imwrite(str(path), image)
    return str(path)


@pytest.mark.parametrize(
    'image',
    [
        LEVELS,
        LEVELS.astype(np.uint16) * 257,
        np.dstack([LEVELS] * 3),
        np.dstack([LEVELS] * 3 + [np.full_like(LEVELS, 7)]),
        np.dstack([LEVELS] * 3).astype(np.uint16) * 257,
    ],
    ids=['gray', 'gray16', 'color', 'rgba', 'color16'],
)
def test_all_kinds_of_files_and_arrays(tmp_path, image):
    expected = np.dstack([LEVELS] * 3)
    for source in (written(tmp_path / 'x.png', image), image):
        got = read_image(source)
        assert got.dtype == np.uint8 and np.array_equal(got, expected)


def test_colors_stay_bgr(tmp_path):
    blue = np.zeros((4, 4, 3), np.uint8)
    blue[..., 0] = 200
    for source in (written(tmp_path / 'x.png', blue), blue):
        assert np.array_equal(read_image(source), blue)


@pytest.mark.parametrize('content', [b'', b'nonsense', b'\x89PNG\r\n\x1a\n'])
def test_a_damaged_file_is_named_as_such(tmp_path, content):
    (tmp_path / 'x.png').write_bytes(content)
    with pytest.raises(SR4IRError, match='is not an image'):
        read_image(str(tmp_path / 'x.png'))


def test_a_missing_file_and_an_odd_array():
    with pytest.raises(SR4IRError, match='cannot be read'):
        read_image('no/such.png')
    with pytest.raises(SR4IRError, match=r'float64 and shape \(4, 4, 3\)'):
        read_image(np.zeros((4, 4, 3)))
    with pytest.raises(SR4IRError, match=r'\(4, 4, 2\)'):
        read_image(np.zeros((4, 4, 2), np.uint8))


def test_urls(tmp_path):
    written(tmp_path / 'x.png', LEVELS)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host = f'http://127.0.0.1:{server.server_port}'
        assert np.array_equal(read_image(f'{host}/x.png')[..., 0], LEVELS)
        with pytest.raises(SR4IRError, match=r'cannot be read .*404'):
            read_image(f'{host}/y.png')
        server.shutdown()


def test_folders_globs_and_lists(tmp_path):
    for name in ('b.png', 'a.JPG', 'c.txt'):
        (tmp_path / name).write_bytes(b'')
    array = np.zeros((2, 2, 3), np.uint8)
    files = [str(tmp_path / name) for name in ('a.JPG', 'b.png')]
    assert list_images(tmp_path) == list_images(str(tmp_path)) == files
    assert list_images(f'{tmp_path}/*.png') == files[1:]
    found = list_images([str(tmp_path), array, 'https://host/x.png?a=*'])
    assert found[:2] == files and found[2] is array and found[3] == 'https://host/x.png?a=*'


def test_nothing_found(tmp_path):
    for name in (tmp_path, f'{tmp_path}/*.png'):
        with pytest.raises(SR4IRError, match='No image found in'):
            list_images(name)


def test_no_name_twice():
    array = np.zeros((1, 1, 3), np.uint8)
    images = ['a/x.png', 'b/x.png', array, 'x.jpg', 'https://host/y.png?z=1.2', 'x_2.png']
    assert list(unique_names(images)) == ['x', 'x_2', '000002', 'x_3', 'y', 'x_2_2']
