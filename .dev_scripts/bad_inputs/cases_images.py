"""Images that cannot be read, or not as 8 bits, and inputs that are no images."""

import io
import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from bench import picture, save
from case import bad, both, good, has_files, says, variant
from PIL import Image

_INFER = 'infer runs/seg bad --device cpu'
_SKIP = 'infer runs/seg bad lr --device cpu'


def png_header(width: int, height: int) -> bytes:
    """Return a PNG file that claims a size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))

    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(b'0' * 9)) + chunk(b'IEND', b'')


def encoded(kind: str, image: np.ndarray | None = None) -> bytes:
    """Return an image file."""
    return cv2.imencode(f'.{kind}', picture(0)[0][:16, :16] if image is None else image)[1].tobytes()


def pillow(mode: str, kind: str) -> bytes:
    """Return a small image file of a mode of Pillow."""
    file = io.BytesIO()
    array = np.arange(256).reshape(16, 16)
    Image.fromarray(array.astype({'F': np.float32, 'I': np.int32}[mode])).save(file, kind)
    return file.getvalue()


_tall = np.arange(256, dtype=np.uint16).reshape(16, 16)
_FILES: dict[str, tuple[str, bytes]] = {
    'an empty file': ('a.png', b''),
    'a text': ('a.jpg', b'no image'),
    'an HTML page': ('a.png', b'<html><body>404</body></html>'),
    'random bytes': ('a.bmp', bytes(range(256)) * 4),
    'a PNG without its end': ('a.png', encoded('png')[:100]),
    'a JPEG without its end': ('a.jpg', encoded('jpg')[:100]),
    'only the first bytes of a PNG': ('a.png', encoded('png')[:8]),
    'only the first bytes of a JPEG': ('a.jpg', b'\xff\xd8\xff'),
    'a TIFF without its end': ('a.tif', encoded('tif')[:30]),
    'a WebP without its end': ('a.webp', encoded('webp')[:40]),
    'a BMP without its end': ('a.bmp', encoded('bmp')[:60]),
    'a huge PNG header': ('a.png', png_header(100_000, 100_000)),
    'a long PNG header': ('a.png', png_header(2_000_000_000, 1)),
    'a PNG of no size': ('a.png', png_header(0, 0)),
    'a huge BMP header': ('a.bmp', encoded('bmp')[:18] + struct.pack('<ii', 60_000, 60_000) + encoded('bmp')[26:]),
    'a huge PNM header': ('a.ppm', b'P6\n99999 99999\n255\n'),
    'a PNM of no size': ('a.ppm', b'P6\n0 0\n255\n'),
    'a damaged checksum': ('a.png', encoded('png')[:45] + bytes(20) + encoded('png')[65:]),
    'floats in TIFF': ('a.tif', pillow('F', 'TIFF')),
    '32 bits in TIFF': ('a.tif', pillow('I', 'TIFF')),
    '10 bits in PNG': ('a.png', encoded('png', _tall * 4)),
    '12 bits in TIFF': ('a.tif', encoded('tif', _tall * 16)),
    'an SVG': ('a.png', b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
    'a checkpoint': ('a.png', b'PK\x03\x04' + bytes(50)),
}
for _what, (_name, _data) in _FILES.items():
    bad(f'images: {_what}', _INFER, f'bad/{_name}', files={f'bad/{_name}': _data})
for _what in ('an empty file', 'a huge PNG header', 'floats in TIFF', 'a JPEG without its end', 'a text'):
    _name, _data = _FILES[_what]
    good(
        f'images: the folder goes on after {_what}',
        _SKIP,
        both(says('2 images done, 1 skipped', f'bad/{_name}'), has_files('outputs/sr/a_2.png', 'outputs/sr/b.png')),
        files={f'bad/{_name}': _data},
        code=1,
    )
    for _tool, _split in (('train seg.py --work-dir new', 'train'), ('test runs/seg', 'val')):
        bad(f'images: {_what}, {_split}', _tool, f'img/{_split}/0.png', files={f'data/seg/img/{_split}/0.png': _data})

_INPUTS = {
    'a missing file': 'nosuch.png',
    'a missing folder': 'nosuch/',
    'an empty folder': 'weights/folder.pth',
    'a glob without a match': '"lr/*.xyz"',
    'a folder without images': 'runs/seg',
    'http without a network': 'http://127.0.0.1:9/a.png',
    'https without a network': 'https://nowhere.invalid/a.png',
    's3': 's3://bucket/a.png',
    'ftp': 'ftp://127.0.0.1/a.png',
    'an unknown kind of address': 'foo://a.png',
    'file:// of a missing file': 'file:///nowhere/a.png',
    'a device': '/dev/zero',
    'an empty device': '/dev/null',
    'an empty name': "''",
    'a name that is too long': 'a' * 300 + '.png',
    'a name with a line break': "'a\nb.png'",
    'a file as a folder': 'lr/a.png/b.png',
    'a config': 'seg.py',
    'a video': 'a.mp4',
}
for _what, _arg in _INPUTS.items():
    _name = _arg.removeprefix('file://').strip('"\'')[:60].split('\n')[0]
    bad(f'images: {_what}', f'infer runs/seg {_arg} --device cpu', _name)
bad('images: a pipe', 'infer runs/seg p.png --device cpu', 'p.png', setup=lambda: os.mkfifo('p.png'))
bad('images: a broken link', 'infer runs/seg l.png --device cpu', 'l.png', setup=lambda: os.symlink('no', 'l.png'))
bad(
    'images: a link to itself', 'infer runs/seg l.png --device cpu', 'l.png', setup=lambda: os.symlink('l.png', 'l.png')
)
bad('images: examples of the web page in a missing folder', 'webui runs/seg --device cpu --examples nosuch', 'nosuch')
bad('images: more pixels than allowed', 'infer runs/seg lr --device cpu --max-pixels 100', 'max')
bad(
    'images: a training image is missing from its list',
    'train voc.py --work-dir new',
    'train0.jpg',
    files={'data/voc/JPEGImages/train0.jpg': None},
)
bad(
    'images: a training image smaller than the scale',
    'train seg.py --work-dir new',
    'img/train/0.png',
    'scale',
    setup=lambda: [
        save(f'data/seg/{kind}/train/0.png', np.zeros(shape, np.uint8))
        for kind, shape in (('img', (3, 64, 3)), ('ann', (3, 64)))
    ],
)
bad('images: an LR image for annotations of another size', 'test runs/det --lr-input hr', '0.png', '--lr-input')
bad(
    'images: a test image of another size than its annotations',
    'test runs/det --lr-input lr',
    '0.png',
    setup=lambda: save('data/det/val/0.png', np.zeros((20, 20, 3), np.uint8)),
)
bad(
    'images: a folder in place of an image',
    'train det.py --work-dir new',
    'train/0.png',
    setup=lambda: (Path('data/det/train/0.png').unlink(), Path('data/det/train/0.png').mkdir()),
)
bad(
    'images: a pipe in place of an image',
    'train det.py --work-dir new',
    'train/0.png',
    setup=lambda: (Path('data/det/train/0.png').unlink(), os.mkfifo('data/det/train/0.png')),
)
bad(
    'images: an empty image for a mix',
    'train fcn.py --sr edsr.py --work-dir new',
    'img/train/0.png',
    files={'data/seg/img/train/0.png': b''},
)
_plain = (
    "train_dataloader = dict(dataset=dict(pipeline=[dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'), "
    "dict(type='PackSegInputs')]))"
)
bad(
    "images: floats read by mmcv's own step",
    'train x.py',
    'img/train/0.png',
    files=variant('seg', _plain) | {'data/seg/img/train/0.png': pillow('F', 'TIFF')},
)
bad(
    "images: an empty file read by mmcv's own step",
    'train x.py',
    'img/train/0.png',
    files=variant('seg', _plain) | {'data/seg/img/train/0.png': b''},
)
