"""Published names that have changed, importable and usable in configs for one release.

This can go with version 0.2.
"""

import sys
import warnings
from functools import partial
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

#: old name -> new name, for classes and functions of the registries and of the public subpackages
RENAMED = {
    'AmpOptimWrapper': 'AnyDeviceAmpOptimWrapper',
    'AspectRatioBatchSampler': 'AspectRatioGroupedBatchSampler',
    'CocoMetric': 'ZeroFillCocoMetric',
    'CosineRestartLR': 'BasicSRCosineRestartLR',
    'LIIF': 'LIIFUpsampler',
    'LoadImageFromFile': 'CheckedLoadImageFromFile',
    'RuntimeInfoHook': 'DeferredRuntimeInfoHook',
    'VOCDataset': 'InclusiveVOCDataset',
    'worker_init_fn': 'epoch_worker_init_fn',
}

#: documented modules that have moved: old path -> new path
MOVED = {
    'sr4ir_mm.apis.config': 'sr4ir_mm.config',
    'sr4ir_mm.apis.export': 'sr4ir_mm.export.exporter',
    'sr4ir_mm.apis.inferencer': 'sr4ir_mm.inference.inferencer',
    'sr4ir_mm.apis.lr_input': 'sr4ir_mm.inference.lr_input',
    'sr4ir_mm.apis.lr_predictor': 'sr4ir_mm.inference.lr_predictor',
    'sr4ir_mm.apis.mixing': 'sr4ir_mm.config.mixing',
    'sr4ir_mm.apis.sr_zoo': 'sr4ir_mm.config.sr_nets',
    'sr4ir_mm.models.random_degradation': 'sr4ir_mm.models.degradations.random_degradation',
    'sr4ir_mm.models.tiling': 'sr4ir_mm.inference.tiling',
    'sr4ir_mm.models.torchvision_nets': 'sr4ir_mm.models.adapters.torchvision_nets',
}

#: (subpackage, name) -> subpackage that has it now
MOVED_NAMES = {
    ('sr4ir_mm.evaluation', 'LRTestLoop'): 'sr4ir_mm.inference',
    ('sr4ir_mm.evaluation', 'collate_list'): 'sr4ir_mm.inference',
}


class MovedModuleFinder(MetaPathFinder, Loader):
    """Import hook for the old paths of moved modules, to stand last in ``sys.meta_path``."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Claim the old paths."""
        return ModuleSpec(fullname, self) if fullname in MOVED else None

    def exec_module(self, module: ModuleType) -> None:
        """Let the old module look up its names in the new one."""
        new = MOVED[module.__name__]
        warnings.warn(f"'{module.__name__}' is now '{new}'; the old path goes with 0.2.", FutureWarning, stacklevel=2)
        module.__getattr__ = partial(getattr, import_module(new))


def redirect_moved_modules() -> None:
    """Keep the old paths of moved modules importable."""
    if not any(isinstance(finder, MovedModuleFinder) for finder in sys.meta_path):
        sys.meta_path.append(MovedModuleFinder())


def current_name(name: str) -> str:
    """Return the present name of what was called ``name``, with a warning if that has changed."""
    if name not in RENAMED:
        return name
    message = f"'sr4ir_mm.{name}' is now 'sr4ir_mm.{RENAMED[name]}'; the old name goes with 0.2."
    warnings.warn(message, FutureWarning, stacklevel=3)
    return RENAMED[name]


def current_image(name: str) -> str:
    """Return the present name of an image in a scheme: what was 'lr', of three meanings, is 'bilinear' now."""
    if name != 'lr':
        return name
    warnings.warn(
        "The image 'lr' of a scheme is now 'bilinear'; the old name goes with 0.2.", FutureWarning, stacklevel=4
    )
    return 'bilinear'
