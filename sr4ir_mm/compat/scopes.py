"""Let configs named ``sr4ir_mm::...`` be found and built.

MMEngine 0.10.7 looks a scope up in a closed list, and then takes the folder of the package from ``pkg_resources``,
which is wrong for editable installs (PEP 660).
This can go when MMEngine lets packages register themselves.
"""

from collections.abc import Callable
from functools import wraps

from mmengine.config import Config
from mmengine.config.utils import MODULE2PACKAGE


def register_scope() -> None:
    """Add ``sr4ir_mm`` to MMEngine's list of scopes.

    The value should be the name of a distribution, but is that of a module. No distribution has this name, so MMEngine
    takes the folder from Python's import system, which is right for a wheel, an editable install and a checkout.
    """
    MODULE2PACKAGE['sr4ir_mm'] = 'sr4ir_mm.registry'
    if not hasattr(Config._get_cfg_path, '__wrapped__'):
        Config._get_cfg_path = staticmethod(_without_our_scope(Config._get_cfg_path))


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
