"""Limits of what an archive may unpack to: a small one can be made that fills the disk, or the memory."""

import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from sr4ir_mm.config.cli import Parser, at_least
from sr4ir_mm.errors import SR4IRError

Member = TypeVar('Member')
#: in GB, and in sizes of the archive; the command line can raise them. The published archives unpack to 2 GB.
_DEFAULTS = dict(max_gb=20, max_expansion=50)
LIMITS = dict(_DEFAULTS)
#: bytes from which on the expansion counts, since texts alone can be packed by much
_MUCH = 10**8
_BLOCK = 4096  # bytes that even an empty file takes
_HEADERS = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, b'X')


def add_limits(parser: Parser) -> None:
    """Add the limits to the arguments of a converter."""
    texts = dict(max_gb='GB that an archive may unpack to', max_expansion='... and in sizes of the archive itself')
    for name, text in texts.items():
        option = f'--{name.replace("_", "-")}'
        parser.add_argument(
            option, type=at_least(1), default=_DEFAULTS[name], metavar='N', help=f'{text} (%(default)s)'
        )


def within_limits(source: Path, members: Iterable[Member], size: Callable[[Member], int]) -> Iterator[Member]:
    """Yield the members of an archive as long as all of them stay within the limits.

    Raises:
        SR4IRError: If they do not.
    """
    packed, total = source.stat().st_size, 0
    for member in members:
        total += size(member) + _BLOCK
        if total > LIMITS['max_gb'] * 10**9:
            too_much, option = f'{LIMITS["max_gb"]} GB', '--max-gb'
        elif total > max(packed * LIMITS['max_expansion'], _MUCH):
            too_much, option = f'{LIMITS["max_expansion"]} times its size', '--max-expansion'
        else:
            yield member
            continue
        raise SR4IRError(
            f"'{source}' unpacks to more than {too_much}, as no archive of a data set should. If you trust it, raise "
            f'the limit: {option} N'
        )


class CheckedTarInfo(tarfile.TarInfo):
    """Member of a tar. Python reads long names and attributes into memory, whatever their size."""

    def _proc_member(self, archive: tarfile.TarFile) -> Any:
        """Check the size first; this is the method that Python's documentation gives to subclasses."""
        if self.size < 0 or (self.type in _HEADERS and self.size > 1 << 20):
            raise tarfile.ReadError(f'a header of {self.size} bytes')
        return super()._proc_member(archive)
