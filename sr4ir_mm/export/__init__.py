"""Export of networks to files that run without OpenMMLab; ``sr4ir_mm.export(...)`` is also a function."""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from ..utils.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)


class _CallablePackage(ModuleType):
    """Package that stands where users look for the function of the same name, next to ``sr4ir_mm.train``."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        return import_module('sr4ir_mm.apis.verbs').export(*args, **options)


sys.modules[__name__].__class__ = _CallablePackage
