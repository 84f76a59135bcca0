import importlib
import sys

import pytest

from sr4ir_mm.compat.import_hooks import ChangingFinder, change_on_import


@pytest.fixture
def package(tmp_path, monkeypatch) -> str:
    """A package with two modules, of which one is imported already."""
    (tmp_path / 'some_package').mkdir()
    for name in ('__init__', 'early', 'late'):
        (tmp_path / f'some_package/{name}.py').write_text('value = 1\n')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, 'meta_path', [f for f in sys.meta_path if not isinstance(f, ChangingFinder)])
    monkeypatch.setattr(sys, 'modules', dict(sys.modules))
    importlib.import_module('some_package.early')
    return 'some_package'


def test_modules_are_changed_when_they_are_imported_or_at_once(package):
    def change(module, run):
        run(module)
        module.value += 1

    names = [f'{package}.{name}' for name in ('early', 'late', 'missing')]
    change_on_import(dict.fromkeys(names, change))
    change_on_import(dict.fromkeys(names, change))  # once per process
    assert sys.modules[names[0]].value == 2 and names[1] not in sys.modules
    module = importlib.import_module(names[1])
    assert module.value == 2 and module.__file__.endswith('late.py')
    with pytest.raises(ModuleNotFoundError, match='missing'):
        importlib.import_module(names[2])
