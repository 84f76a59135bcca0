"""Archives of data sets that are broken, or others."""

import io
import re
import struct
import tarfile
import zipfile

from case import bad


def _zip(**files: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w') as archive:
        for name, text in files.items():
            archive.writestr(name.replace('__', '/'), text)
    return file.getvalue()


def _patched(field: int, value: int) -> bytes:
    """Return a zip archive with another value in its headers: 0 for the flags, 2 for the compression."""
    data = bytearray(_zip(**{f'{name}__a': 'x' * 40 for name in ('CUB_200_2011', 'VOC2012')}))
    for mark, offset in ((b'PK\x03\x04', 6), (b'PK\x01\x02', 8)):
        for found in re.finditer(mark, data):
            place = found.start() + offset + field
            data[place : place + 2] = struct.pack('<H', value)
    return bytes(data)


def _tar(name: str, kind: bytes = tarfile.REGTYPE) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode='w') as archive:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, '/etc/passwd'
        archive.addfile(info)
    return file.getvalue()


_CLOSED = 'is encrypted', 'has an unknown compression'
_ARCHIVES = {
    'is empty': b'',
    'is a text': b'404',
    'is encrypted': _patched(0, 1),
    'is cut off': _zip(a='x' * 99)[:60],
    'has other files': _zip(a='x'),
    'leaves its folder': _tar('../VOC2012/a.jpg'),
    'is of an unknown kind': b'Rar!\x1a\x07\x00',
    'holds a link': _tar('VOC2012/a.jpg', tarfile.SYMTYPE),
    'has an unknown compression': _patched(2, 99),
}


def _text(tool: str, what: str) -> str:
    """Return what a message must contain: the archive, or a file that is missed, as none that is there is needed."""
    if tool == 'stanford_cars' and what in ('has other files', 'holds a link', *_CLOSED):
        return '.mat'
    return 'out.partial' if tool == 'voc2012_mini' and what in _CLOSED else 'x.zip'


for _what, _data in _ARCHIVES.items():
    for _tool in ('voc2012', 'cub200', 'stanford_cars', 'voc2012_mini'):
        bad(
            f'archives: {_tool}, an archive that {_what}',
            f'dataset_converters/{_tool} x.zip --out out',
            _text(_tool, _what),
            files={'x.zip': _data},
        )
for _what, _data in {
    'is a text': b'no mat',
    'is empty': b'',
    'is cut off': b'MATLAB 5.0 MAT-file' + bytes(140),
}.items():
    bad(
        f'archives: a .mat file that {_what}',
        'dataset_converters/stanford_cars x.zip cars_annos.mat --out out',
        'cars_annos.mat',
        files={'x.zip': _zip(car_ims__000001='x'), 'cars_annos.mat': _data},
    )
    bad(
        f'archives: a .mat file in an archive that {_what}',
        'dataset_converters/stanford_cars_mini x.zip --out out',
        'cars_train_annos.mat',
        setup=lambda data=_data: zipfile.ZipFile('x.zip', 'w').writestr('devkit/cars_train_annos.mat', data),
    )
for _name in ('images.txt', 'train_test_split.txt', 'image_class_labels.txt'):
    _cub = {f'CUB_200_2011/{name}': '1 1\n' for name in ('train_test_split.txt', 'image_class_labels.txt')}
    _cub |= {'CUB_200_2011/images.txt': '1 a/b.jpg\n', f'CUB_200_2011/{_name}': 'malformed\n'}
    bad(
        f'archives: cub200, a malformed {_name}',
        'dataset_converters/cub200 x.zip --out out',
        _name,
        setup=lambda cub=_cub: [zipfile.ZipFile('x.zip', 'a').writestr(n, t) for n, t in cub.items()],
    )
bad('archives: an archive that is missing', 'dataset_converters/voc2012 nosuch.tar', 'nosuch.tar')
bad('archives: an archive that is a folder', 'dataset_converters/voc2012 lr', "'lr'")
bad('archives: an archive that is a device', 'dataset_converters/voc2012 /dev/null', '/dev/null')
