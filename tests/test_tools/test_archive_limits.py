"""Small archives that unpack to much, on the way through a converter; and good ones, to which no limit applies."""

import gzip
import io
import tarfile
import zipfile

import pytest
from helpers.data_archives import cub_files, pack, tree, voc_files

import archive_limits  # isort: skip
import archives  # isort: skip
import cub200  # isort: skip
import voc2012  # isort: skip
import voc2012_mini  # isort: skip

MB = 10**6


@pytest.fixture(autouse=True)
def small_limits(monkeypatch):
    """So that the archives need not be large."""
    monkeypatch.setattr(archives, 'MD5', {})
    monkeypatch.setattr(archive_limits, '_MUCH', MB)
    monkeypatch.setitem(archive_limits.LIMITS, 'max_gb', 20)
    monkeypatch.setitem(archive_limits.LIMITS, 'max_expansion', 50)
    splits = {'segmentation train': 2, 'segmentation val': 1, 'detection train': 3, 'detection val': 1}
    monkeypatch.setattr(voc2012, 'EXPECTED', {'images': 4, **splits, 'classes': 2})


def tar(path, *members: tuple[tarfile.TarInfo, bytes], mode: str = 'w:gz', rest: int = 0):
    """Write members as they are given, also wrong ones."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode='w') as archive:
        for info, data in members:
            if data is None:
                archive.fileobj.write(info.tobuf(tarfile.GNU_FORMAT))
            else:
                archive.addfile(info, io.BytesIO(data))
    opened = {'w:gz': gzip.open, 'w': open}[mode]
    with opened(path, 'wb') as out:
        out.write(file.getvalue() + bytes(rest))
    return path


def member(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info


def write_bomb(kind: str, folder):
    big = bytes(4 * MB)
    if kind.startswith('zip'):
        method = dict(zip=zipfile.ZIP_DEFLATED, zip_bz2=zipfile.ZIP_BZIP2, zip_xz=zipfile.ZIP_LZMA)[kind]
        with zipfile.ZipFile(folder / 'x.zip', 'w', method) as archive:
            archive.writestr('VOC2012/a.jpg', big)
        return folder / 'x.zip'
    if kind == 'many empty files':
        return tar(folder / 'x.tgz', *((member(f'VOC2012/{i}'), b'') for i in range(400)))
    if kind == 'a file that is no regular one':
        return tar(folder / 'x.tgz', (member('VOC2012/a', 4 * MB, b'Z'), big))
    if kind == 'after the end':
        return tar(folder / 'x.tgz', (member('VOC2012/a', 3), b'abc'), rest=4 * MB)
    name, mode = dict(tgz=('x.tgz', 'w:gz'), tar_xz=('x.tar.xz', 'w:xz'), tar_bz2=('x.tbz', 'w:bz2'))[kind]
    with tarfile.open(folder / name, mode) as archive:
        archive.addfile(member('VOC2012/a.jpg', 4 * MB), io.BytesIO(big))
    return folder / name


@pytest.mark.parametrize('kind', [
    'zip', 'zip_bz2', 'zip_xz', 'tgz', 'tar_xz', 'tar_bz2', 'many empty files', 'a file that is no regular one',
    'after the end',
])  # fmt: skip
@pytest.mark.parametrize('converter', [voc2012, voc2012_mini])
def test_a_small_archive_of_much(kind, converter, convert, tmp_path):
    archive = write_bomb(kind, tmp_path)
    code, message = convert(converter, archive)
    assert code == 2 and 'error: ' not in message
    assert f"'{archive}' unpacks to more than 50 times its size" in message and '--max-expansion N' in message
    assert sorted(path.name for path in tmp_path.iterdir()) == [archive.name]


def test_the_limits_can_be_raised(convert, tmp_path):
    files = {**voc_files(), 'VOCdevkit/VOC2012/note.txt': bytes(4 * MB)}
    with zipfile.ZipFile(tmp_path / 'x.zip', 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    assert convert(voc2012, tmp_path / 'x.zip')[0] == 2
    assert convert(voc2012, tmp_path / 'x.zip', '--max-expansion', 5000)[0] == 0
    assert (tmp_path / 'out/note.txt').stat().st_size == 4 * MB


def test_more_than_the_disk_should_hold(convert, tmp_path):
    """The header tells the size, before anything is unpacked."""
    archive = tar(tmp_path / 'x.tar', (member('VOC2012/a', 3 * 10**9), None), mode='w')
    assert 'more than 2 GB' in convert(voc2012, archive, '--max-gb', 2)[1]
    code, message = convert(voc2012, archive, '--max-expansion', 10**9)
    assert code == 2 and 'cut off, damaged' in message


@pytest.mark.parametrize('option', [('--max-gb', '0'), ('--max-expansion', 'x'), ('--max-gb', '-1')])
def test_wrong_limits(option, convert, tmp_path):
    code, message = convert(voc2012, tmp_path / 'x.zip', *option)
    assert code == 2 and 'no whole number from 1 on' in message


@pytest.mark.parametrize('kind', [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_a_header_that_fills_the_memory(kind, convert, tmp_path):
    first = member('VOC2012/a', 1), b'a'
    archive = tar(tmp_path / 'x.tgz', first, (member('VOC2012/b', 2 * MB, kind), bytes(2 * MB)))
    code, message = convert(voc2012, archive)
    assert code == 2 and 'a header of 2000000 bytes' in message


def test_a_negative_size(convert, tmp_path):
    """With which Python before 3.13.6 reads the same place for ever."""
    first = member('VOC2012/a', 1), b'a'
    archive = tar(tmp_path / 'x.tar', first, (member('VOC2012/b', -512), None), mode='w')
    code, message = convert(voc2012, archive)
    assert code == 2 and 'a header of -512 bytes' in message


def test_a_zip_that_lies_about_a_size(convert, tmp_path):
    archive = pack(tmp_path / 'x.zip', {**voc_files(), 'VOCdevkit/VOC2012/note.txt': b'x' * 4_111_222})
    archive.write_bytes(archive.read_bytes().replace((4_111_222).to_bytes(4, 'little'), (99).to_bytes(4, 'little')))
    code, message = convert(voc2012, archive)
    assert code == 2 and 'damaged' in message
    assert not any(path.stat().st_size > MB for path in (tmp_path / 'out.partial').rglob('*'))


def test_an_archive_in_an_archive_stays_one(convert, tmp_path):
    inner = pack(tmp_path / 'inner.zip', {'a' * 9: bytes(9)}).read_bytes()
    archive = pack(tmp_path / 'x.tgz', {**voc_files(), 'VOCdevkit/VOC2012/inner.zip': inner})
    assert convert(voc2012, archive)[0] == 0
    assert tree(tmp_path / 'out')['inner.zip'] == inner


def test_a_large_file_is_not_converted_in_memory(convert, tmp_path, monkeypatch):
    monkeypatch.setattr(archives, '_MAX_CONVERTED', 50)
    monkeypatch.setattr(voc2012_mini, 'lines', lambda path, *args: [['2007_000027']])
    code, message = convert(voc2012_mini, pack(tmp_path / 'x.tar', voc_files()))
    assert code == 2 and 'is damaged (it has' in message


def test_good_archives_are_within_the_limits_and_folders_have_none(convert, tmp_path, monkeypatch):
    monkeypatch.setattr(archive_limits, '_MUCH', 0)
    monkeypatch.setitem(archive_limits.LIMITS, 'max_expansion', 50)
    monkeypatch.setattr(cub200, 'EXPECTED', {'images': 4, 'train': 3, 'test': 1, 'classes': 2})
    for name, data in cub_files().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    assert convert(cub200, tmp_path / 'CUB_200_2011', '--max-gb', 1, '--max-expansion', 1)[0] == 0
