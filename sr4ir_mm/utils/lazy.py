"""Subpackages whose names are imported on first use."""

import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import lazy_loader

from .renamed import MOVED_NAMES, current_name


def attach(package: str, file: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Let a package import its public names on first use, from the stub file next to its ``__init__.py``.

    So a segmentation user never waits for mmdet, while type checkers and ``dir()`` know every name.

    Args:
        package (str): ``__name__`` of the package.
        file (str): ``__file__`` of the package.

    Returns:
        tuple: The package's ``__getattr__``, ``__dir__`` and ``__all__``.

    Example:
        >>> __getattr__, __dir__, __all__ = attach(__name__, __file__)
    """
    get, names, public = lazy_loader.attach_stub(package, file)

    def get_current(name: str) -> Any:
        if new := MOVED_NAMES.get((package, name)):
            warnings.warn(
                f"'{package}.{name}' is now '{new}.{name}'; the old path goes with 0.2.", FutureWarning, stacklevel=2
            )
            return getattr(import_module(new), name)
        return get(name) if name in public or name.startswith('_') else get(current_name(name))

    return get_current, names, public
