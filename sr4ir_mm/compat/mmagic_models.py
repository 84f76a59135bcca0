"""Let each network of mmagic 1.2.0 be imported by itself.

``mmagic.models`` imports all of mmagic, and its diffusion models fail with releases of diffusers, transformers and
huggingface_hub after 2023. The SR networks need none of these.
This can go when ``import mmagic.models`` works with current releases of the three.
"""

import ast
import re
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from mmengine.registry import Registry

from ..errors import SR4IRError
from .import_hooks import Run

#: packages whose ``__init__.py`` imports diffusion models
PACKAGES = [f'mmagic.models{name}' for name in ('', '.archs', '.base_models', '.editors', '.losses')]
_DECORATED = re.compile(r'^((?:@.*\n)+)(?:class|def) (\w+)', re.MULTILINE)
_REGISTERED = re.compile(r"^@?MODELS\.register_module\((?:name=)?'?([\w-]*)", re.MULTILINE)


def import_on_use(package: ModuleType, run: Run) -> None:
    """Leave a package empty, and import each of its public names when it is first asked for."""
    body = ast.parse(Path(package.__file__).read_text(encoding='utf-8')).body
    imports = [node for node in body if isinstance(node, ast.ImportFrom) and node.level == 1]
    package.__getattr__ = partial(_find, package.__name__, imports)
    package.__all__ = list(_names(package.__name__, imports))
    package.__dir__ = lambda: sorted({*vars(package), *package.__all__})


def _names(package: str, imports: list[ast.ImportFrom]) -> Iterator[str]:
    for node in imports:
        names = [alias.name for alias in node.names]
        module = import_module(f'{package}.{node.module}') if names == ['*'] else None
        yield from names if module is None else getattr(module, '__all__', ())


def _find(package: str, imports: list[ast.ImportFrom], name: str) -> Any:
    for node in imports:
        names, module = [alias.name for alias in node.names], f'{package}.{node.module}'
        if name in names or (names == ['*'] and hasattr(import_module(module), name)):
            return getattr(import_module(module), name)
    if not name.startswith('_') and find_spec(f'{package}.{name}'):
        return import_module(f'{package}.{name}')  # running the package's __init__.py would have imported it
    raise AttributeError(f'module {package!r} has no attribute {name!r}')


def register_on_use(registry: ModuleType, run: Run) -> None:
    """Let mmagic's registry of models import the module of a type when the type is first asked for."""
    run(registry)
    registry.MODELS.__class__ = OnUseRegistry


class OnUseRegistry(Registry):
    """mmagic's registry of models. A type whose module cannot be imported is an error that says why."""

    def get(self, key: str) -> type | None:
        """Return the class that is registered as ``key``, with or without the scope, or None.

        Raises:
            SR4IRError: If mmagic has this type, but its module cannot be imported.
        """
        scope, name = self.split_scope_key(key)
        if scope in (None, self.scope) and name not in self._module_dict and name in self.modules:
            try:
                import_module(self.modules[name])
            except Exception as error:  # an import may raise anything, and the message shows it
                raise SR4IRError(
                    f"'{self.scope}.{name}' is not available: {self.modules[name]} cannot be imported "
                    f'({type(error).__name__}: {error}). It may need other releases of the packages that it imports.'
                ) from error
        found = super().get(key)
        if found is None and scope in (None, self.scope) and _is_of_diffusers(name):
            raise SR4IRError(f"'{self.scope}.{name}' is not available: mmagic wraps it for diffusers before 0.25 only.")
        return found

    @property
    def modules(self) -> dict[str, str]:
        """Name of each registered type -> its module."""
        if '_modules' not in vars(self):
            self._modules = dict(_registered_types(Path(import_module('mmagic').__file__).parent))
        return self._modules


def _is_of_diffusers(name: str) -> bool:
    """Return whether diffusers has a model or pipeline of this name; it is not imported."""
    spec = find_spec('diffusers') if name.isidentifier() else None
    files = [Path(spec.origin).parent / f'{part}/__init__.py' for part in ('models', 'pipelines')] if spec else []
    return any(f'"{name}"' in file.read_text(encoding='utf-8') for file in files)


def _registered_types(folder: Path) -> list[tuple[str, str]]:
    found = []
    for file in sorted(folder.glob('models/**/*.py')):
        text = file.read_text(encoding='utf-8')
        module = '.'.join(file.relative_to(folder.parent).with_suffix('').parts)
        for decorators, name in _DECORATED.findall(text):
            found += [(given or name, module) for given in _REGISTERED.findall(decorators)]
        found += [(given, module) for given in re.findall(r"^MODELS\.register_module\('(\w+)'", text, re.MULTILINE)]
    return found
