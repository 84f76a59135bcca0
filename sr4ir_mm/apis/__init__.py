"""The Python interface, under the name that OpenMMLab packages give it."""

from ..config import check_data, check_weights, enable_amp, find_checkpoint, load_config, mix, parse_and_load
from ..inference import SR4IRInferencer

__all__ = [
    'SR4IRInferencer',
    'check_data',
    'check_weights',
    'enable_amp',
    'find_checkpoint',
    'load_config',
    'mix',
    'parse_and_load',
]
