"""Change a module of another package while it is imported, so that nothing is imported for the sake of a change."""

import sys
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

Run = Callable[[ModuleType], None]  # runs the code of a module in it
Change = Callable[[ModuleType, Run], None]  # is called instead


class ChangingFinder(MetaPathFinder):
    """Import hook, the first one in ``sys.meta_path``, that changes submodules of other packages.

    Args:
        changes (dict[str, Change]): Full name of a submodule -> function that is called with the empty module and with
            the function that fills it.

    Example:
        >>> def add_name(module, run):
        ...     run(module)
        ...     module.name = 'value'
        >>> sys.meta_path.insert(0, ChangingFinder({'package.module': add_name}))
    """

    def __init__(self, changes: dict[str, Change]) -> None:
        self.changes = changes

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Return the usual spec of a submodule to change, whose loader calls the change."""
        if name not in self.changes:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None:
            run, change = spec.loader.exec_module, self.changes[name]
            spec.loader.exec_module = lambda module: change(module, run)
        return spec


def change_on_import(changes: dict[str, Change]) -> None:
    """Put the import hook in place, once per process, and change the modules that are imported already."""
    if any(isinstance(finder, ChangingFinder) for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, ChangingFinder(changes))
    for name in changes.keys() & sys.modules.keys():
        changes[name](sys.modules[name], lambda module: None)
