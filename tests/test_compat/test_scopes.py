import shutil
import sys
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.config.utils import MODULE2PACKAGE
from mmengine.hub import get_config
from mmengine.utils import get_installed_path, is_installed

import sr4ir_mm
from sr4ir_mm.compat import scopes

PACKAGE = Path(sr4ir_mm.__file__).parent
CONFIG = 'demo/fcn-tiny_edsr-tiny_x4_demo.py'


def test_mmengine_finds_the_package():
    name = MODULE2PACKAGE['sr4ir_mm']
    assert is_installed(name)
    assert Path(get_installed_path(name)) == PACKAGE


@pytest.fixture
def installed(tmp_path, monkeypatch) -> None:
    """Create ``.mim`` as an editable install does; MMEngine looks it up."""
    folder = tmp_path / 'sr4ir_mm'
    (folder / '.mim').mkdir(parents=True)
    for name in ('configs', 'model-index.yml'):
        (folder / '.mim' / name).symlink_to(PACKAGE.parent / name)
    shutil.copy(PACKAGE / 'version.py', folder / '__init__.py')
    (folder / 'registry.py').touch()
    monkeypatch.setattr(sr4ir_mm, '__path__', [str(folder)])
    monkeypatch.delitem(sys.modules, 'sr4ir_mm.registry', raising=False)


def test_configs_resolve(installed):
    """By name, and also those without an entry in the model index."""
    assert get_config(f'sr4ir_mm::{CONFIG}').model.type == 'sr4ir_mm.SR4IR'
    assert get_config('sr4ir_mm::_base_/sr/edsr_x4.py').scale == 4


def test_base_of_another_project(installed, tmp_path):
    """Its types stay in the scope that it sets, that of the task network's library."""
    user = tmp_path / 'user.py'
    user.write_text(f"_base_ = ['sr4ir_mm::{CONFIG}']\nfurther = {{{{_base_.test_dataloader}}}}")
    cfg = Config.fromfile(user).to_dict()
    assert cfg.pop('further') == cfg['test_dataloader']
    assert cfg == Config.fromfile(PACKAGE.parent / 'configs' / CONFIG).to_dict()


def test_scopes_of_the_zoos_stay(tmp_path):
    user = tmp_path / 'user.py'
    user.write_text("_base_ = ['mmseg::_base_/models/fcn_unet_s5-d16.py']\nfurther = {{_base_.model}}")
    assert Config.fromfile(user).further['_scope_'] == 'mmseg'


@pytest.mark.parametrize(
    'name', ['gn+ws/faster-rcnn_r50_fpn_gn-ws-all_1x_coco.py', 'legacy_1.x/retinanet_r50_fpn_1x_coco_v1.py']
)
def test_folders_of_any_name(name, tmp_path):
    """As a base of a file, and from the hub."""
    user = tmp_path / 'user.py'
    user.write_text(f"_base_ = 'mmdet::{name}'\nfurther = {{{{_base_.model}}}}")
    cfg = Config.fromfile(user)
    assert cfg.further['_scope_'] == 'mmdet'
    assert cfg.model.type == get_config(f'mmdet::{name}').model.type


@pytest.mark.parametrize('name, message', [
    ('mmdet::a.py', 'please specify the package name'), ('mmdet::a/b::c.py', 'multiple `::`'),
    ('nope::a/b.py', 'does not support to load nope'), ('mmdet::/a.py', 'Expected configs|a.py'),
])  # fmt: skip
def test_what_is_no_name_of_a_config(name, message, tmp_path):
    user = tmp_path / 'user.py'
    user.write_text(f"_base_ = '{name}'")
    with pytest.raises((ValueError, AssertionError, FileNotFoundError), match=message):
        Config.fromfile(user)


def test_registering_twice_changes_nothing():
    before = dict(MODULE2PACKAGE), Config._get_cfg_path
    scopes.register_scope()
    assert before == (MODULE2PACKAGE, Config._get_cfg_path)
