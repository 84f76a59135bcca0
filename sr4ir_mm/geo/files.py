"""The files of rasters: local ones only, whatever they name."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from ..errors import SR4IRError
from .gdal import environment, gdal_errors, library, reason

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

#: drivers of GDAL that read files alone; others take addresses, databases, and lists of such
_DRIVERS = ['GTiff', 'VRT', 'JP2OpenJPEG', 'HFA', 'ENVI', 'PNG', 'JPEG']
#: pixels of the largest block, which is decoded as a whole for each window in it
_MAX_BLOCK = 2**26


def open_raster(path: str | Path) -> tuple[DatasetReader, list[str]]:
    """Open a raster, to be called in :func:`environment`.

    Returns:
        tuple: The data set, and the files that it consists of.

    Raises:
        SR4IRError: If it is no local file, GDAL cannot open it, or it names other things than local files. The message
            starts with the path in quotes.
    """
    file, checked = _local(path), {}
    try:
        _check(file, checked)
    except SR4IRError as error:
        raise SR4IRError(f"'{path}' {error}") from error
    except OSError as error:
        raise SR4IRError(f"'{path}' cannot be read ({error}).") from error
    source = _open(file)
    return source, sorted({*source.files, *checked})


def is_raster(path: str | Path) -> bool:
    """Return whether a file is a raster with a place on the earth: a VRT, or a TIFF that has a reference system.

    Others are images. Without rasterio so are all TIFFs, while a VRT leads to the message that asks for it.
    """
    suffix = os.path.splitext(str(path))[1].lower()
    if suffix == '.vrt' or suffix not in ('.tif', '.tiff') or not os.path.isfile(path):
        return suffix == '.vrt' and os.path.isfile(path)
    try:
        library()
    except SR4IRError:
        return False
    try:
        with environment(), library().io.DatasetReader(Path(path), driver='GTiff') as source:
            return source.crs is not None or source.gcps[1] is not None
    except gdal_errors():
        return False


def identify(path: str | Path, files: Iterable[str]) -> dict[str, Any]:
    """Return what changes if one of the files of a raster changes; plain data for JSON."""
    states = [(file, os.stat(file)) for file in files if os.path.exists(file)]
    marks = [(file, state.st_size, state.st_mtime_ns) for file, state in states]
    return dict(
        path=os.path.abspath(path),
        bytes=sum(state.st_size for _, state in states),
        mtime=max(state.st_mtime for _, state in states),
        files=hashlib.sha256(repr(marks).encode()).hexdigest(),
    )


def _local(path: str | Path) -> str:
    name = str(path)
    file = os.path.abspath(name)
    if '://' in name or file.startswith('/vsi'):
        raise SR4IRError(f"'{path}' is an address, but rasters are read of files: download it first.")
    if not os.path.exists(file):
        raise SR4IRError(f"'{path}' is missing: correct the path.")
    if not os.path.isfile(file):
        raise SR4IRError(f"'{path}' is a folder, a pipe or a device: name the raster's file.")
    return file


def _open(file: str) -> DatasetReader:
    try:
        return library().io.DatasetReader(Path(file), driver=_DRIVERS)
    except gdal_errors() as error:
        raise SR4IRError(f'is no raster that can be read ({reason(error)}): replace it, or convert it.') from error


def _check(file: str, checked: dict[str, None]) -> None:
    """Check a file and, if it is a VRT, all files that it names; messages continue the name of the first one."""
    if file in checked:
        return
    checked[file] = None
    for name in _sources(file):
        if not os.path.isfile(name):  # of a missing one, GDAL may return zeros
            raise SR4IRError(f"names '{name[:200]}', which is no file: correct it; only local files are read.")
        _check(os.path.abspath(name), checked)
    with _open(file) as source:
        if name := source.tags(ns='OVERVIEWS').get('OVERVIEW_FILE'):
            raise SR4IRError(f"takes its overviews from '{name[:200]}': make them with gdaladdo.")
        rows, columns = max(source.block_shapes, key=prod)
        if rows * columns > _MAX_BLOCK:
            raise SR4IRError(
                f'is stored in blocks of {columns} x {rows} px: store it in tiles (gdal_translate -of COG).'
            )


def _sources(file: str) -> Iterator[str]:
    """Yield the files that a VRT names; a file of another kind names none.

    Raises:
        SR4IRError: If it names an address anywhere but in a text for readers, or has code.
    """
    with open(file, 'rb') as stream:
        if b'<VRTDataset' not in stream.read(2**16):
            return
    try:
        elements = list(ElementTree.parse(file).iter())
    except ElementTree.ParseError as error:
        raise SR4IRError(f'is no VRT that can be read ({error}): make it with gdalbuildvrt.') from error
    for element in elements:
        attributes = {key.lower(): value for key, value in reversed(element.attrib.items())}  # the first one counts
        entries = [(element.tag, element.text or ''), *element.attrib.items()]  # the same to GDAL
        is_text = _name(element.tag) == 'mdi' and not attributes.get('key', '').endswith(('DATASET', 'FILE'))
        for value in [*(value for _, value in entries), element.tail or '']:
            if not is_text and ('://' in value or '/vsi' in value):
                raise SR4IRError(f"names '{value.strip()[:200]}', but only local files are read: download it first.")
        for i, (key, value) in enumerate(entries):
            if _name(key) in ('sourcefilename', 'sourcedataset') and value.strip():
                relative = '0' if i else attributes.get('relativetovrt', '0')  # only of the element
                if relative not in ('0', '1'):
                    raise SR4IRError(f"has relativeToVRT='{relative[:200]}', which is neither 0 nor 1: correct it.")
                # without it, a name is one from the working directory
                yield os.path.join(os.path.dirname(file) if relative == '1' else '', value.strip())
            if _name(key) == 'pixelfunctionlanguage' and value.strip().lower() == 'python':
                raise SR4IRError('has a function in Python, which is not run: write its result to a file.')


def _name(name: str) -> str:
    """Return the name of an element or an attribute as GDAL reads it: in any case, and without a namespace."""
    return name.rpartition('}')[2].lower()
