import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.config.utils import MODULE2PACKAGE
from mmengine.hub import get_config
from mmengine.utils import get_installed_path, is_installed

import sr4ir_mm
from sr4ir_mm.compat import numpy2, scopes

PACKAGE = Path(sr4ir_mm.__file__).parent


def test_mmengine_finds_the_package():
    name = MODULE2PACKAGE['sr4ir_mm']
    assert is_installed(name)
    assert Path(get_installed_path(name)) == PACKAGE


def test_configs_resolve(tmp_path, monkeypatch):
    """With ``.mim`` as a wheel and an editable install make it; the lookup itself is MMEngine's."""
    folder = tmp_path / 'sr4ir_mm'
    (folder / '.mim' / 'configs' / 'a').mkdir(parents=True)
    (folder / '.mim' / 'configs' / 'a' / 'b.py').write_text('x = 1')
    (folder / '.mim' / 'model-index.yml').write_text('Import: []')
    shutil.copy(PACKAGE / 'version.py', folder / '__init__.py')
    (folder / 'registry.py').touch()
    user = tmp_path / 'user.py'
    user.write_text("_base_ = ['sr4ir_mm::a/b.py']\ny = 2")
    monkeypatch.setattr(sr4ir_mm, '__path__', [str(folder)])
    monkeypatch.delitem(sys.modules, 'sr4ir_mm.registry', raising=False)
    cfg = Config.fromfile(user)
    assert (cfg.x, cfg.y) == (1, 2)
    assert get_config('sr4ir_mm::a/b.py').x == 1


def test_registering_twice_changes_nothing():
    before = dict(MODULE2PACKAGE)
    scopes.register_scope()
    assert before == MODULE2PACKAGE


@pytest.mark.parametrize('version', ['1.26.4', '2.3.0'])
def test_bool8(monkeypatch, version):
    fake = SimpleNamespace(__version__=version, bool_=np.bool_)
    monkeypatch.setattr(numpy2, 'np', fake)
    numpy2.restore_bool8()
    assert getattr(fake, 'bool8', None) is (np.bool_ if version.startswith('2') else None)
