"""Old paths of documented modules, importable for one release."""

import sys
from importlib import import_module

import pytest

import sr4ir_mm  # noqa: F401
from sr4ir_mm.utils.renamed import MOVED, MOVED_NAMES, RENAMED

#: a documented name of each module
NAMES = {
    'sr4ir_mm.apis.config': 'check_data',
    'sr4ir_mm.apis.export': 'export',
    'sr4ir_mm.apis.inferencer': 'SR4IRInferencer',
    'sr4ir_mm.apis.lr_input': 'use_lr_input',
    'sr4ir_mm.apis.lr_predictor': 'LRPredictor',
    'sr4ir_mm.apis.mixing': 'mix',
    'sr4ir_mm.apis.sr_zoo': 'find_sr',
    'sr4ir_mm.models.random_degradation': 'RandomNoise',
    'sr4ir_mm.models.tiling': 'tiled',
    'sr4ir_mm.models.torchvision_nets': 'TorchvisionNet',
}


@pytest.mark.parametrize('old', sorted(MOVED))
def test_an_old_path_still_works_with_a_warning(old):
    sys.modules.pop(old, None)
    with pytest.warns(FutureWarning, match=rf"'{old}' is now '{MOVED[old]}'") as warned:
        module = import_module(old)
    assert sum(warning.category is FutureWarning for warning in warned) == 1  # mmcv has one of its own
    assert getattr(module, NAMES[old]) is getattr(import_module(MOVED[old]), NAMES[old])
    with pytest.raises(AttributeError, match='nothing'):
        module.nothing  # noqa: B018


def test_an_unknown_path():
    with pytest.raises(ModuleNotFoundError):
        import_module('sr4ir_mm.apis.nothing')


@pytest.mark.parametrize('package, name', MOVED_NAMES)
def test_a_name_that_moved_to_another_subpackage(package, name):
    with pytest.warns(FutureWarning, match=f'{name}'):
        assert getattr(import_module(package), name) is getattr(import_module(MOVED_NAMES[package, name]), name)


@pytest.mark.parametrize('old', RENAMED)
def test_no_module_holds_the_upstream_class_under_an_old_name(old):
    """``from sr4ir_mm.datasets.voc import VOCDataset`` must not return mmdet's without a word."""
    modules = [module for name, module in list(sys.modules.items()) if name.startswith('sr4ir_mm.')]
    for package in ('datasets.voc', 'engine.schedulers', 'engine.runtime_info_hook', 'evaluation.coco_metric'):
        modules.append(import_module(f'sr4ir_mm.{package}'))
    assert not [module.__name__ for module in modules if old in vars(module)]
