"""Let configs named ``sr4ir_mm::...``, and those in folders of any name, be found and built.

MMEngine 0.10.7 looks a scope up in a closed list, and then takes the folder of the package from ``pkg_resources``,
which is wrong for editable installs (PEP 660). It takes a folder with other characters than letters, digits and '_',
such as mmdet's 'gn+ws' and 'legacy_1.x', for no name of a config.
This can go when MMEngine lets packages register themselves and takes these names.
"""

import sys
from collections.abc import Callable
from functools import wraps

from mmengine.config import Config, utils
from mmengine.config.utils import MODULE2PACKAGE


def register_scope() -> None:
    """Add ``sr4ir_mm`` to MMEngine's list of scopes.

    The value should be the name of a distribution, but is that of a module. No distribution has this name, so MMEngine
    takes the folder from Python's import system, which is right for a wheel, an editable install and a checkout.
    """
    MODULE2PACKAGE['sr4ir_mm'] = 'sr4ir_mm.registry'
    if not hasattr(Config._get_cfg_path, '__wrapped__'):
        Config._get_cfg_path = staticmethod(_without_our_scope(Config._get_cfg_path))
        split = _of_any_folder(utils._get_package_and_cfg_path)
        # modules that have imported the function
        names = 'mmengine.config.utils', 'mmengine.config.config', 'mmengine.hub.hub'
        for module in filter(None, map(sys.modules.get, names)):
            module._get_package_and_cfg_path = split


def _without_our_scope(get_cfg_path: Callable) -> Callable:
    """Keep the dicts of our configs in the scope that the configs set, which is that of the task network's library.

    MMEngine marks the dicts of a ``_base_`` 'a::b.py' with ``_scope_='a'``, and then looks all types up in this scope;
    but 'sr4ir_mm' has no EncoderDecoder.
    """

    @wraps(get_cfg_path)
    def wrapper(cfg_path: str, filename: str) -> tuple[str, str | None]:
        path, scope = get_cfg_path(cfg_path, filename)
        return path, None if scope == 'sr4ir_mm' else scope

    return wrapper


def _of_any_folder(split: Callable) -> Callable:
    """Keep the pattern of MMEngine to the package and the first '/'."""

    @wraps(split)
    def wrapper(name: str) -> tuple[str, str]:
        package, _, path = name.partition('::')
        known = package in MODULE2PACKAGE and path.rpartition('/')[0] and '::' not in path
        return (MODULE2PACKAGE[package], path) if known else split(name)

    return wrapper
