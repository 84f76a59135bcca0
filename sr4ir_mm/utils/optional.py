"""Packages that only some users need."""

from importlib import import_module
from types import ModuleType

from ..errors import SR4IRError


def import_optional(name: str, missing: str) -> ModuleType:
    """Import a package that may not be installed.

    Args:
        name (str): Name of the package.
        missing (str): Message if it is not installed, with the command that installs it.

    Raises:
        SR4IRError: If it is not installed. If another package is missing that it imports, that error is passed on.

    Example:
        >>> rasterio = import_optional('rasterio', "rasterio is not installed: pip install 'sr4ir_mm[geo]'")
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise SR4IRError(missing) from error
