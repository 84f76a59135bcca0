"""Functions that all data set converters share: verify archives, unpack them, count the files of the result.

A converter unpacks to ``OUT.partial`` and renames this folder to ``OUT`` when all counts are right. So a folder named
``OUT`` is complete. A run that was interrupted continues: a file gets its final name when all of it is written.
"""

import hashlib
import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from archive_limits import LIMITS, CheckedTarInfo, add_limits, within_limits
from tqdm import tqdm

from sr4ir_mm.config.cli import Parser
from sr4ir_mm.errors import SR4IRError

#: MD5 of the published files. A plain .tar, unlike .tgz and .zip, has no checksum of its own.
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
_MAX_CONVERTED = 1 << 28  # bytes of an image or annotation, which is read into memory
Counts = dict[str, int]
Convert = Callable[[str, bytes], bytes]  # path below OUT and content of a file -> content to write


class Entry(NamedTuple):
    """A regular file of an archive."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]


class Part(NamedTuple):
    """The files to take from one source: their names in it and their paths below ``OUT``; how to convert them."""

    source: Path
    targets: dict[str, str]
    convert: Convert | None = None


def entries(source: Path) -> Iterator[Entry]:
    """Yield the regular files of a tar, a zip, a folder or a single .mat; read each one before you take the next.

    Links and devices are left out, and an archive in an archive is a file.

    Raises:
        SR4IRError: If an archive unpacks to more than its limits, :data:`archive_limits.LIMITS`.
    """
    if source.is_dir():
        for path in sorted(source.resolve().rglob('*')):
            if path.is_file():
                name = path.relative_to(source.resolve().parent).as_posix()
                yield Entry(name, path.stat().st_size, partial(path.open, 'rb'))
    elif source.suffix == '.mat':
        yield Entry(source.name, source.stat().st_size, partial(source.open, 'rb'))
    elif zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            for info in within_limits(source, archive.infolist(), lambda info: info.file_size):
                if not info.is_dir():
                    yield Entry(info.filename, info.file_size, partial(archive.open, info))
    else:
        with tarfile.open(source, tarinfo=CheckedTarInfo) as archive:
            for info in within_limits(source, archive, lambda info: info.size):
                if info.isreg():
                    yield Entry(info.name, info.size, partial(archive.extractfile, info))
            archive.fileobj.seek(archive.offset)
            if archive.fileobj.read(512) != bytes(512):  # tarfile mistakes a cut between two files for the end
                raise tarfile.ReadError('the end is missing')
            rest = iter(lambda: archive.fileobj.read(1 << 20), b'')  # gzip compares its checksum after the last byte
            for _ in within_limits(source, rest, len):
                pass


@contextmanager
def readable(source: Path) -> Iterator[None]:
    """Turn the errors that a damaged archive raises, or one that Python cannot unpack, into one message."""
    try:
        yield
    except (RuntimeError, NotImplementedError) as error:  # zipfile's: a password, or a method that Python does not have
        raise SR4IRError(
            f"'{source}' cannot be unpacked here ({error}). Unpack it with the program that packed it, and give the "
            'folder.'
        ) from error
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno:  # of the disk, not of the content
            raise
        reason = str(error).partition('\n')[0].rstrip(':')
        raise SR4IRError(
            f"'{source}' is cut off, damaged or no archive ({reason}). It has {source.stat().st_size} bytes. "
            'Please download it again.'
        ) from error


def verify(source: Path) -> Counts:
    """Read an archive to its end and return the size of each file by name, without the hidden files of macOS.

    Raises:
        SR4IRError: If the archive is missing, cut off, damaged, not the published file of that name, or if it holds
            unsafe file names.
    """
    if not (source.is_file() or source.is_dir()):  # a pipe would be waited for
        raise SR4IRError(f"'{source}' is {'no file or folder' if source.exists() else 'missing'}: check the path.")
    if source.name in MD5 and (md5 := _md5(source)) != MD5[source.name]:
        raise SR4IRError(
            f"'{source}' is not the published file of that name: its MD5 is {md5}, not {MD5[source.name]}. "
            'Please download it again. If it is a repacked copy that you trust, rename it.'
        )
    with readable(source):
        files = {entry.name: entry.size for entry in tqdm(entries(source), f'verify {source.name}', unit=' files')}
    for name in files:
        # in a/VOC2012//b, VOC2012 would contain '/b'
        if '..' in PurePosixPath(name).parts or '//' in f'/{name}' or '\0' in name:
            raise SR4IRError(
                f"'{source}' is unsafe: its file '{name}' would be written outside the output folder. "
                'Use the official archive.'
            )
    return {name: size for name, size in files.items() if not PurePosixPath(name).name.startswith('._')}


def _md5(source: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with source.open('rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def below(source: Path, folder: str) -> Part:
    """Select all files in a folder of an archive; the folder may lie at any depth.

    Raises:
        SR4IRError: If the archive has no such folder.
    """
    names = verify(source)
    targets = {name: f'/{name}'.partition(f'/{folder}/')[2] for name in names}
    targets = {name: target for name, target in targets.items() if target}
    if not targets:
        raise SR4IRError(f"'{source}' is another archive: it has no folder '{folder}/', but {_some(names)}.")
    return Part(source, targets)


def _some(names: Sequence[str]) -> str:
    return ', '.join(repr(name) for name in list(names)[:3]) + ('' if len(names) <= 3 else ', ...') or 'no file'


def unpack(part: Part, out: Path) -> None:
    """Write the files of a part to their places in ``out``; files that exist already are skipped."""
    with readable(part.source), tqdm(total=len(part.targets), desc=f'unpack {part.source.name}', unit=' files') as bar:
        for entry in entries(part.source):
            if entry.name in part.targets:
                _write(entry, part, out / part.targets[entry.name])
                bar.update()


def _write(entry: Entry, part: Part, target: Path) -> None:
    if target.is_file() and (part.convert or target.stat().st_size == entry.size):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f'{target.name}.part')
    with entry.open() as source, unfinished.open('wb') as file:
        shutil.copyfileobj(_converted(entry, part, source) if part.convert else source, file, 1 << 20)
    unfinished.replace(target)


def _converted(entry: Entry, part: Part, source: IO[bytes]) -> IO[bytes]:
    data = source.read(_MAX_CONVERTED + 1)
    try:
        if len(data) > _MAX_CONVERTED:
            raise ValueError(f'it has {entry.size} bytes')
        return BytesIO(part.convert(part.targets[entry.name], data))
    except Exception as error:  # of Pillow or ElementTree, which do not name the file
        raise SR4IRError(
            f"'{entry.name}' of '{part.source}' is damaged ({error}). Please download the archive again."
        ) from error


def run_converter(
    doc: str, sources: str, out: str, plan: Callable[..., list[Part]], count: Callable[[Path], Counts],
    expected: Counts, several: bool = False,
) -> None:  # fmt: skip
    """Read the command line of a converter and make its data set, see :func:`arrange`.

    Args:
        doc (str): Description of the tool.
        sources (str): Description of what it reads.
        out (str): Default folder of the data set.
        plan (Callable): Function that gets the sources, verifies them and says what goes where.
        count (Callable): Function that counts the complete samples below a folder.
        expected (dict[str, int]): Right counts.
        several (bool): Whether more than one source may be given.
    """
    parser = Parser(description=doc)
    parser.add_argument('sources', type=Path, nargs='+' if several else 1, help=sources)
    parser.add_argument('--out', type=Path, default=Path(out), help='default: %(default)s')
    add_limits(parser)
    args = parser.parse_args()
    LIMITS.update({name: getattr(args, name) for name in LIMITS})
    arrange(args.out, lambda: plan(*args.sources), count, expected)


def arrange(out: Path, plan: Callable[[], list[Part]], count: Callable[[Path], Counts], expected: Counts) -> None:
    """Create the folder ``out`` from archives, unless it exists already, and print the number of its samples.

    Args:
        out (Path): Folder of the data set.
        plan (Callable): Function that verifies the archives and returns the parts to unpack. It is not called if
            ``out`` exists.
        count (Callable): Function that counts the complete samples in a folder.
        expected (dict[str, int]): Numbers that ``count`` must return.

    Raises:
        SR4IRError: If an archive is damaged or a count differs from the expected one.
    """
    if out.is_dir() and any(out.iterdir()):
        report(out, count(out), expected, 'It was there before: remove it, or choose another folder with --out.')
        print(f'{out} was complete already')
        return
    out = out.resolve()  # so that a symbolic link is kept
    partial_out = out.with_name(f'{out.name}.partial')
    for part in plan():
        unpack(part, partial_out)
    advice = (
        f'Either the archive lacks files, or the folder holds files of another archive: remove {partial_out} and retry.'
    )
    report(partial_out, count(partial_out), expected, advice)
    partial_out.replace(out)
    print(f'{out} is complete')


def report(folder: Path, counts: Counts, expected: Counts, advice: str) -> None:
    """Print each count and the expected number.

    Raises:
        SR4IRError: If a count differs; the message ends with ``advice``.
    """
    for name, number in expected.items():
        print(f'{name:20}{counts[name]:>7} (expected: {number})')
    wrong = [f'{counts[name]} {name}, not {number}' for name, number in expected.items() if counts[name] != number]
    if wrong:
        raise SR4IRError(f"'{folder}' is not complete: it has {'; '.join(wrong)}. {advice}")


def lines(path: Path, words: int = 0) -> list[list[str]]:
    """Return the words of each line of a text file; an empty list if the file is missing.

    Args:
        path (Path): Text file.
        words (int): Number of words that every line must have; 0 for any.

    Raises:
        SR4IRError: If the file is no text, or a line has another number of words.
    """
    if not path.is_file():
        return []
    try:
        found = [line.split() for line in path.read_text(encoding='utf-8').splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise SR4IRError(f"'{path}' is no text file ({error}). Please download the archive again.") from error
    if wrong := [line for line in found if words and len(line) != words]:
        raise SR4IRError(
            f"'{path}' has a line of {len(wrong[0])} words, not {words}: '{' '.join(wrong[0])}'. Please download the "
            'archive again.'
        )
    return found


def stems(folder: Path, suffix: str) -> set[str]:
    """Return the names of the files in a folder that end with a suffix; the suffix is removed."""
    return {path.stem for path in folder.glob(f'*{suffix}')}
