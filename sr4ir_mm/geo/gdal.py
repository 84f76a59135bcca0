"""GDAL by rasterio: without network, without code in files, and with a small cache."""

from __future__ import annotations

import importlib
import os
import warnings
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

from ..utils.optional import import_optional

if TYPE_CHECKING:
    from rasterio import Env

_OPTIONS = dict(
    GDAL_VRT_ENABLE_PYTHON='NO',
    # what a file still names beyond the local ones is not reached: no suffix is allowed, and the proxy does not exist
    CPL_VSIL_CURL_ALLOWED_EXTENSIONS='none',
    GDAL_HTTP_PROXY='127.0.0.1:9',
    GDAL_HTTPS_PROXY='127.0.0.1:9',
)
#: bytes of decoded blocks that GDAL keeps; its own default is 5 % of the machine's memory
CACHE = 64 * 2**20


@cache
def library() -> ModuleType:
    """Import rasterio.

    Raises:
        SR4IRError: If it is not installed.
    """
    rasterio = import_optional('rasterio', "Rasters need rasterio, which is not installed: pip install 'sr4ir_mm[geo]'")
    # a scene without a place is as good as any other
    warnings.filterwarnings('ignore', category=rasterio.errors.NotGeoreferencedWarning)
    return rasterio


def environment(**options: str) -> Env:
    """Return the context in which GDAL is used: without network and Python in files, and with a small cache."""
    rasterio = library()
    session = importlib.import_module('rasterio.session').DummySession()  # looks for no credentials
    cache_size = {} if 'GDAL_CACHEMAX' in os.environ else {'GDAL_CACHEMAX': CACHE}
    return rasterio.Env(session, **_OPTIONS, **cache_size, **options)


def gdal_errors() -> tuple[type[Exception], ...]:
    """Return the classes of rasterio's errors, and of GDAL's, which some of its functions pass on."""
    errors = library().errors
    # before 1.4, the second one was not of the first one's kind
    return errors.RasterioError, errors.RasterioIOError, importlib.import_module('rasterio._err').CPLE_BaseError


def reason(error: BaseException) -> str:
    """Return what GDAL said first, of which rasterio's error is the consequence."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error)
