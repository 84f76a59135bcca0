"""Images of every kind are read as h x w x 3, uint8, BGR."""

import functools
import http.server
import io
import os
import struct
import threading
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.inference.images import list_images, read_image, unique_names
from sr4ir_mm.inference.overlap import read_ahead, thread

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


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG file of a few bytes that claims to be of any size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))

    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(b'1')) + chunk(b'IEND', b'')


RED = np.full((4, 6, 3), (0, 0, 255), np.uint8)  # BGR


def palette() -> Image.Image:
    image = Image.new('P', (6, 4), 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    return image


@pytest.mark.parametrize(
    ('kind', 'data'),
    [
        ('palette', encoded(palette(), 'PNG')),
        ('transparent palette', encoded(palette(), 'PNG', transparency=0)),
        ('palette TIFF', encoded(palette(), 'TIFF')),
        ('CMYK JPEG', encoded(Image.new('CMYK', (6, 4), (0, 255, 255, 0)), 'JPEG', quality=100)),
        ('CMYK TIFF', encoded(Image.new('CMYK', (6, 4), (0, 255, 255, 0)), 'TIFF')),
        ('RGBA', encoded(Image.new('RGBA', (6, 4), (255, 0, 0, 9)), 'PNG')),
    ],
)
def test_red_is_red(tmp_path, kind, data):
    (tmp_path / 'x').write_bytes(data)
    assert np.abs(read_image(str(tmp_path / 'x')).astype(int) - RED).max() <= 1


def test_one_bit_and_orientation(tmp_path):
    black_and_white = np.tile(np.uint8([0, 255]), (4, 3))
    (tmp_path / '1.png').write_bytes(encoded(Image.fromarray(black_and_white).convert('1'), 'PNG'))
    assert np.array_equal(read_image(str(tmp_path / '1.png'))[..., 0], black_and_white)
    exif = Image.Exif()
    exif[0x112] = 6  # turn by 90 degrees
    (tmp_path / '2.jpg').write_bytes(encoded(Image.new('RGB', (6, 4)), 'JPEG', exif=exif))
    assert read_image(str(tmp_path / '2.jpg')).shape == (6, 4, 3)


@pytest.mark.parametrize('suffix', ['png', 'tif', 'pgm'])
@pytest.mark.parametrize('bits', [10, 11, 12])
def test_fewer_than_16_bits_are_refused(tmp_path, suffix, bits):
    """OpenCV reads such a file as black."""
    image = np.linspace(0, 2**bits - 1, 48).reshape(6, 8).astype(np.uint16)
    for source in (written(tmp_path / f'x.{suffix}', image), image, np.dstack([image] * 3)):
        with pytest.raises(SR4IRError, match=rf'has 16 bits, but no value above {2**bits - 1}: is it of {bits} bits'):
            read_image(source)


def test_the_range_of_an_alpha_channel_does_not_count():
    image = np.dstack([np.full((4, 4), 1000, np.uint16)] * 3 + [np.full((4, 4), 65535, np.uint16)])
    with pytest.raises(SR4IRError, match='no value above 1000'):
        read_image(image)
    assert read_image(np.zeros((4, 4), np.uint16)).max() == 0  # black is black with any number of bits


@pytest.mark.parametrize('largest', [1, 255])
@pytest.mark.parametrize('kind', [np.float32, np.int32])
def test_other_numbers_are_refused(tmp_path, kind, largest):
    image = np.linspace(0, largest, 48).reshape(6, 8).astype(kind)
    (tmp_path / 'x.tif').write_bytes(encoded(Image.fromarray(image), 'TIFF'))
    for source in (str(tmp_path / 'x.tif'), image):
        with pytest.raises(SR4IRError, match=f'(values of type|an array of) {np.dtype(kind)}'):
            read_image(source)


@pytest.mark.parametrize('kind', ['GIF', 'WEBP', 'PNG', 'TIFF'])
def test_of_several_frames_the_first_is_used(tmp_path, kind, monkeypatch):
    frames = [Image.new('RGB', (6, 4), color) for color in ('red', 'blue', 'green')]
    (tmp_path / 'x').write_bytes(encoded(frames[0], kind, save_all=True, append_images=frames[1:]))
    if cv2.imdecode(np.frombuffer((tmp_path / 'x').read_bytes(), np.uint8), cv2.IMREAD_COLOR) is None:
        pytest.skip(f'OpenCV {cv2.__version__} does not decode it')
    messages = []
    monkeypatch.setattr('sr4ir_mm.inference.images.print_log', lambda text, *args: messages.append(text))
    assert np.abs(read_image(str(tmp_path / 'x')).astype(int) - RED).max() <= 1
    assert messages == [f"image '{tmp_path}/x' has 3 frames or pages: only the first is used"]


@pytest.mark.parametrize(
    ('size', 'message'),
    [
        ((2000, 1000), 'has 2000 x 1000 pixels, but at most 1,000,000 are allowed: cut it .*raise max_pixels'),
        ((30000, 30000), r'has more than 178,956,970 pixels, but at most 1,000,000'),
        ((2**31 - 1, 2**31 - 1), 'has more than'),
    ],
)
def test_the_limit_of_pixels_comes_before_decoding(tmp_path, size, message):
    (tmp_path / 'x.png').write_bytes(png_header(*size))
    with pytest.raises(SR4IRError, match=message):
        read_image(str(tmp_path / 'x.png'), max_pixels=10**6)


def test_the_limit_of_opencv(tmp_path):
    (tmp_path / 'x.png').write_bytes(png_header(40000, 30000))
    with pytest.raises(SR4IRError, match='OPENCV_IO_MAX_IMAGE_PIXELS'):
        read_image(str(tmp_path / 'x.png'))
    with pytest.raises(SR4IRError, match='at most 9 are allowed'):
        read_image(np.zeros((4, 4), np.uint8), max_pixels=9)


def test_the_rest_of_the_folder_goes_on(tmp_path):
    written(tmp_path / 'a.png', LEVELS)
    (tmp_path / 'b.png').write_bytes(png_header(30000, 30000))
    (tmp_path / 'c.png').write_bytes(b'')
    os.mkfifo(tmp_path / 'd.png')
    (tmp_path / 'e.png').symlink_to('missing.png')
    (tmp_path / 'f.png').symlink_to('f.png')
    with thread('reads') as reader:
        jobs = list(read_ahead(list_images(tmp_path), 10**6, reader))
    assert [os.path.basename(job.path) for job in jobs] == [f'{name}.png' for name in 'abcdef']
    assert [job.name for job in jobs if job.image is not None] == ['a']
    _, *reasons = [job.reason for job in jobs]
    assert (
        'pixels' in reasons[0] and 'empty' in reasons[1] and 'a pipe' in reasons[2] and 'cannot be read' in reasons[3]
    )


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        ('ftp://host/x.png', r"the kind 'ftp://', which cannot be read: download it first"),
        ('s3://bucket/x.png', 'cannot be read .*download it first'),
        ('http://host name/x.png', 'cannot be read'),
        ('http://127.0.0.1:1/?u=http://x', 'cannot be read'),
        ('a\0b.png', 'cannot be read'),
        ('/dev/null', 'a device'),
    ],
)
def test_addresses_that_cannot_be_read(name, message):
    with pytest.raises(SR4IRError, match=message):
        read_image(name)


def test_addresses_of_files(tmp_path):
    (tmp_path / 'a b').mkdir()
    path = written(tmp_path / 'a b/x.png', LEVELS)
    for name in ((tmp_path / 'a b/x.png').as_uri(), (tmp_path / 'a b').as_uri()):
        assert list_images(name) == [path]
    with pytest.raises(SR4IRError, match='or numbers of cameras, not float'):
        list_images([path, 7.5])
