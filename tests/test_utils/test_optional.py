"""Packages that only some users need: a message if one is missing, its own error if that is broken."""

import pytest

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.utils.optional import import_optional


def test_installed():
    assert import_optional('json', 'no').loads('1') == 1


def test_missing():
    with pytest.raises(SR4IRError, match=r'^nosuch is not installed: pip install nosuch$'):
        import_optional('nosuch', 'nosuch is not installed: pip install nosuch')


def test_a_package_that_misses_another_one(tmp_path, monkeypatch):
    (tmp_path / 'broken_package.py').write_text('import nosuch')
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match='nosuch'):
        import_optional('broken_package', 'broken_package is not installed')
