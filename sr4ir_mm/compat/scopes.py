"""Make ``sr4ir_mm::...`` configs resolve.

MMEngine looks a scope up in a closed list and then asks ``pkg_resources`` for the folder of the package, which gives
a wrong folder for editable installs (PEP 660).
This can go when MMEngine lets packages register themselves.
"""

from mmengine.config.utils import MODULE2PACKAGE


def register_scope() -> None:
    """Add ``sr4ir_mm`` to MMEngine's list of scopes.

    The value should be the name of a distribution. It is that of a module instead: no distribution has it, so MMEngine
    asks Python where the module lies, which is right for a wheel, an editable install and a plain checkout.
    """
    MODULE2PACKAGE['sr4ir_mm'] = 'sr4ir_mm.registry'
