"""The Python interface, under the name that OpenMMLab packages give it."""

from typing import Any

from .. import config, inference  # both import their own names on first use

__all__ = [
    'SR4IRInferencer',
    'build_model',
    'check_data',
    'check_weights',
    'enable_amp',
    'find_checkpoint',
    'find_sr',
    'load_config',
    'mix',
    'parse_and_load',
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(inference if name in inference.__all__ else config, name)
    raise AttributeError(f"'{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
