"""The Python interface, under the name that OpenMMLab packages give it."""

from importlib import import_module
from typing import Any

#: module -> names in it, which are imported on first use
_MODULES = {
    'sr4ir_mm.inference': ['SR4IRInferencer'],
    'sr4ir_mm.config': [
        'build_model', 'check_data', 'check_weights', 'enable_amp', 'find_checkpoint', 'find_sr', 'load_config', 'mix',
        'parse_and_load',
    ],
    'sr4ir_mm.apis.verbs': ['train', 'test', 'infer', 'export', 'report'],
    'sr4ir_mm.apis.sharing': ['from_pretrained', 'push_to_hub', 'save_checkpoint', 'save_pretrained'],
    'sr4ir_mm.apis.coco': ['CocoPredictions', 'to_coco'],
    'sr4ir_mm.apis.interop': ['to_fiftyone', 'to_supervision'],
}  # fmt: skip
_HOMES = {name: module for module, names in _MODULES.items() for name in names}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"'{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
