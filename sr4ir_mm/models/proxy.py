"""A module in front of another one, whose attributes it offers."""

from typing import Any

from torch import nn

from ..utils import unwrap


class Proxy(nn.Module):
    """A module that offers the attributes of one of its parts as its own.

    Hooks of the zoos read and set attributes of the network and of its preprocessor on ``runner.model``. What the
    module lacks is read from the part. What the part has and the module lacks is set on the part, from when ``_part``
    is set, the last step of ``__init__``. Names with a leading underscore are always set on the module.
    """

    _part: str | None = None  #: name of the part

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the part."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            if (part := self._offered()) is None:
                raise
            return getattr(part, name)

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute of the module, or of the part if only the part has it."""
        part = None if name.startswith('_') or _has(self, name) else self._offered()
        if part is not None and hasattr(part, name):
            setattr(part, name, value)
        else:
            super().__setattr__(name, value)

    def _offered(self) -> nn.Module | None:
        part = self.__dict__.get('_modules', {}).get(self._part)
        return None if part is None else unwrap(part)


def _has(module: nn.Module, name: str) -> bool:
    tables = (vars(module), *(vars(module).get(key, ()) for key in ('_parameters', '_buffers', '_modules')))
    return hasattr(type(module), name) or any(name in table for table in tables)
