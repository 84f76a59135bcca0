"""The model and its parts."""

from .data_preprocessor import SRDataPreprocessor
from .degradations import BicubicDegradation, quantize
from .feature_recorder import FeatureRecorder
from .image_to_image import LIIF, ImageToImage
from .modes import frozen
from .padded_det_preprocessor import PaddedDetDataPreprocessor
from .random_degradation import RandomDegradation
from .schemes import SCHEMES, Phase
from .sr4ir import SR4IR
from .tdp_loss import TDPLoss
from .torchvision_backbone import TorchvisionBackbone
from .torchvision_detector import TorchvisionDetector
from .torchvision_nets import TorchvisionClassifier, TorchvisionSegmentor

__all__ = [
    'LIIF',
    'SCHEMES',
    'SR4IR',
    'BicubicDegradation',
    'FeatureRecorder',
    'ImageToImage',
    'PaddedDetDataPreprocessor',
    'Phase',
    'RandomDegradation',
    'SRDataPreprocessor',
    'TDPLoss',
    'TorchvisionBackbone',
    'TorchvisionClassifier',
    'TorchvisionDetector',
    'TorchvisionSegmentor',
    'frozen',
    'quantize',
]
