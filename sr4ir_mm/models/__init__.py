"""The model and its parts."""

from .data_preprocessor import SRDataPreprocessor
from .degradations import BicubicDegradation, quantize
from .feature_recorder import FeatureRecorder
from .modes import frozen
from .schemes import SCHEMES, Phase
from .sr4ir import SR4IR
from .tdp_loss import TDPLoss
from .torchvision_backbone import TorchvisionBackbone

__all__ = [
    'SCHEMES',
    'SR4IR',
    'BicubicDegradation',
    'FeatureRecorder',
    'Phase',
    'SRDataPreprocessor',
    'TDPLoss',
    'TorchvisionBackbone',
    'frozen',
    'quantize',
]
