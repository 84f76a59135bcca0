import importlib
from types import ModuleType

import pytest
from mmengine.registry import MODELS, Registry

from sr4ir_mm.compat import text_models
from sr4ir_mm.errors import SR4IRError


@pytest.mark.parametrize('version, kept', [('4.35.2', True), ('4.50.3', True), ('4.51.0', False), ('5.24.0', False)])
def test_kept_unless_transformers_is_too_new(monkeypatch, version, kept):
    monkeypatch.setattr(text_models, 'version', lambda name: version)
    dependency = ModuleType('dependency')
    text_models.leave_out_text_models(dependency, lambda module: setattr(module, 'WITH_MULTIMODAL', True))
    assert dependency.WITH_MULTIMODAL is kept


def test_nothing_is_asked_if_transformers_is_missing(monkeypatch):
    monkeypatch.delattr(text_models, 'version')
    dependency = ModuleType('dependency')
    text_models.leave_out_text_models(dependency, lambda module: setattr(module, 'WITH_MULTIMODAL', False))
    assert vars(dependency)['WITH_MULTIMODAL'] is False


def test_transformers_without_a_usable_torch_is_an_import_error(monkeypatch):
    def run(module: ModuleType) -> None:
        raise NameError("name 'nn' is not defined")

    with pytest.raises(NameError):
        monkeypatch.setattr('torch.__version__', '2.6.0')
        text_models.say_that_torch_is_too_old(ModuleType('modeling_utils'), run)
    monkeypatch.setattr('torch.__version__', '2.5.1+cu124')
    with pytest.raises(ImportError, match="needs a later PyTorch: name 'nn'"):
        text_models.say_that_torch_is_too_old(ModuleType('modeling_utils'), run)


def test_each_placeholder_names_its_own_model():
    registry = Registry('some models')
    text_models.register_placeholders(['BlipCaption', 'OFA'], registry)
    for name in ('BlipCaption', 'OFA'):
        with pytest.raises(SR4IRError, match=f"'mmpretrain.{name}' is not available.*transformers<4.51"):
            registry.build(dict(type=name))


def test_mmpretrain_is_usable_with_the_installed_transformers():
    importlib.import_module('mmpretrain.models')
    found = MODELS.get('mmpretrain.BlipCaption')
    usable = importlib.import_module('mmpretrain.utils.dependency').WITH_MULTIMODAL
    assert (found.__module__ == 'mmpretrain.models.multimodal.blip.blip_caption') is usable
