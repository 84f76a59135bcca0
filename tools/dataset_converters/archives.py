"""What the data set converters share: read archives safely, unpack them resumably, count what came out.

Everything is unpacked to ``OUT.partial``, which becomes ``OUT`` when its counts are right: what has the final name is
complete. A run that was cut continues there: a file gets its name only when all of it is written.
"""

import gzip
import hashlib
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from tqdm import tqdm

from sr4ir_mm.errors import SR4IRError

#: of the published files; a plain .tar, unlike .tgz and .zip, has no check sum of its own
MD5 = {
    'VOCtrainval_11-May-2012.tar': '6cd6e144f989b92b3379bac3b3de84fd',
    'CUB_200_2011.tgz': '97eceeb196236b17998738112f37df78',
    'car_ims.tgz': 'd5c8f0aa497503f355e17dc7886c3f14',
    'cars_train.tgz': '065e5b463ae28d29e77c1b4b166cfe61',
    'cars_test.tgz': '4ce7ebf6a94d07f1952d94dd34c4d501',
    'car_devkit.tgz': 'c3b158d763b6e2245038c8ad08e45376',
    'cars_annos.mat': 'b407c6086d669747186bd1d764ff9dbc',
    'cars_test_annos_withlabels.mat': 'b0a2b23655a3edd16d84508592a98d10',
}
Counts = dict[str, int]
Plan = list[tuple[Path, dict[str, str]]]  # source, its names -> paths below OUT


class Entry(NamedTuple):
    """A regular file of an archive."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]


def entries(source: Path) -> Iterator[Entry]:
    """The regular files of a tar, zip, folder or of a single .mat, in its order; each can be read before the next."""
    if source.is_dir():
        for path in sorted(source.resolve().rglob('*')):
            if path.is_file():
                name = path.relative_to(source.resolve().parent).as_posix()
                yield Entry(name, path.stat().st_size, partial(path.open, 'rb'))
    elif source.suffix == '.mat':
        yield Entry(source.name, source.stat().st_size, partial(source.open, 'rb'))
    elif zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            for info in archive.infolist():
                if not info.is_dir():
                    yield Entry(info.filename, info.file_size, partial(archive.open, info))
    else:
        with tarfile.open(source) as archive:
            for info in archive:
                if info.isreg():
                    yield Entry(info.name, info.size, partial(archive.extractfile, info))
            archive.fileobj.seek(archive.offset)
            if archive.fileobj.read(512) != bytes(512):  # tarfile takes a cut between two files for the end
                raise tarfile.ReadError('the end is missing')
            while archive.fileobj.read(1 << 20):  # gzip's check sum is behind the last byte
                pass


@contextmanager
def readable(source: Path) -> Iterator[None]:
    """Turn what a damaged archive raises into one message."""
    try:
        yield
    except (tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise SR4IRError(
            f"'{source}' is cut off, damaged or no archive ({error}): download it again. "
            f'Its size is {source.stat().st_size} bytes.'
        ) from error


def verify(source: Path) -> Counts:
    """Read an archive to its end; return the sizes of its files by name, without macOS's hidden ones.

    Raises:
        SR4IRError: If it is missing, cut off, damaged, not the published file of that name, or has unsafe names.
    """
    if not source.exists():
        raise SR4IRError(f"There is no '{source}'.")
    if source.name in MD5 and (md5 := _md5(source)) != MD5[source.name]:
        raise SR4IRError(
            f"'{source}' is not the published file of that name: its MD5 is {md5}, not {MD5[source.name]}. "
            'Download it again, or, if it is a repacked copy that you trust, give it another name.'
        )
    with readable(source):
        files = {entry.name: entry.size for entry in tqdm(entries(source), f'verify {source.name}', unit=' files')}
    for name in files:
        if '..' in PurePosixPath(name).parts or '//' in f'/{name}':  # of a/VOC2012//b, '/b' would be below VOC2012
            raise SR4IRError(f"'{source}' has a file that would be written outside the folder: '{name}'.")
    return {name: size for name, size in files.items() if not PurePosixPath(name).name.startswith('._')}


def _md5(source: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with source.open('rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def below(source: Path, folder: str) -> Plan:
    """Plan to unpack all that lies in a folder of an archive, whatever lies above it.

    Raises:
        SR4IRError: If there is no such folder.
    """
    names = verify(source)
    targets = {name: f'/{name}'.partition(f'/{folder}/')[2] for name in names}
    targets = {name: target for name, target in targets.items() if target}
    if not targets:
        raise SR4IRError(f"'{source}' is another archive: it has no folder '{folder}/', but {_some(names)}.")
    return [(source, targets)]


def _some(names: Sequence[str]) -> str:
    return ', '.join(repr(name) for name in list(names)[:3]) + ('' if len(names) <= 3 else ', ...')


def unpack(source: Path, targets: dict[str, str], out: Path) -> None:
    """Write files of an archive to their places below ``out``, leaving out those that are there already."""
    todo = {name: out / target for name, target in targets.items()}
    with readable(source), tqdm(total=len(todo), desc=f'unpack {source.name}', unit=' files') as bar:
        for entry in entries(source):
            if entry.name in todo:
                _write(entry, todo[entry.name])
                bar.update()


def _write(entry: Entry, target: Path) -> None:
    if target.is_file() and target.stat().st_size == entry.size:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f'{target.name}.part')
    with entry.open() as source, part.open('wb') as file:
        shutil.copyfileobj(source, file, 1 << 20)
    part.replace(target)


def arrange(out: Path, plan: Callable[[], Plan], count: Callable[[Path], Counts], expected: Counts) -> None:
    """Make ``out`` of archives, unless it is there already, and print what it holds.

    Args:
        out (Path): The folder of the data set.
        plan (Callable): Verifies the archives and says what goes where; not called if ``out`` is there.
        count (Callable): Counts the complete samples below a folder.
        expected (dict[str, int]): The right counts.

    Raises:
        SR4IRError: If an archive is damaged or a count is not the expected one.
    """
    if out.is_dir() and any(out.iterdir()):
        report(out, count(out), expected, 'It was there before: remove it, or name another folder with --out.')
        print(f'{out} was complete already')
        return
    out = out.resolve()  # a link to a folder elsewhere stays one
    partial_out = out.with_name(f'{out.name}.partial')
    for source, targets in plan():
        unpack(source, targets, partial_out)
    advice = f'Either the archive lacks files or the folder holds those of another one: remove {partial_out} and retry.'
    report(partial_out, count(partial_out), expected, advice)
    partial_out.replace(out)
    print(f'{out} is complete')


def report(folder: Path, counts: Counts, expected: Counts, advice: str) -> None:
    """Print counts beside the expected ones.

    Raises:
        SR4IRError: If they differ.
    """
    for name, number in expected.items():
        print(f'{name:20}{counts[name]:>7} (expected: {number})')
    wrong = [f'{counts[name]} {name}, not {number}' for name, number in expected.items() if counts[name] != number]
    if wrong:
        raise SR4IRError(f"'{folder}' is not complete: it has {'; '.join(wrong)}. {advice}")


def lines(path: Path) -> list[list[str]]:
    """The words of each line of a text file, or nothing if there is no such file."""
    return [line.split() for line in path.read_text().splitlines() if line.strip()] if path.is_file() else []


def stems(folder: Path, suffix: str) -> set[str]:
    """The names, without suffix, of the files of a folder that end so."""
    return {path.stem for path in folder.glob(f'*{suffix}')}
