"""Make ``sr4ir_mm::...`` configs resolve, and build.

MMEngine looks a scope up in a closed list and then asks ``pkg_resources`` for the folder of the package, which gives
a wrong folder for editable installs (PEP 660).
This can go when MMEngine lets packages register themselves.
"""

from collections.abc import Callable
from functools import wraps

from mmengine.config import Config
from mmengine.config.utils import MODULE2PACKAGE


def register_scope() -> None:
    """Add ``sr4ir_mm`` to MMEngine's list of scopes.

    The value should be the name of a distribution. It is that of a module instead: no distribution has it, so MMEngine
    asks Python where the module lies, which is right for a wheel, an editable install and a plain checkout.
    """
    MODULE2PACKAGE['sr4ir_mm'] = 'sr4ir_mm.registry'
    if not hasattr(Config._get_cfg_path, '__wrapped__'):
        Config._get_cfg_path = staticmethod(_without_our_scope(Config._get_cfg_path))


def _without_our_scope(get_cfg_path: Callable) -> Callable:
    """Leave the dicts of our configs in the scope that the configs themselves set, which is that of T's library.

    MMEngine marks those of a ``_base_`` 'a::b.py' with ``_scope_='a'``, in which everything else is then looked up:
    'sr4ir_mm' has no EncoderDecoder.
    """

    @wraps(get_cfg_path)
    def wrapper(cfg_path: str, filename: str) -> tuple[str, str | None]:
        path, scope = get_cfg_path(cfg_path, filename)
        return path, None if scope == 'sr4ir_mm' else scope

    return wrapper
