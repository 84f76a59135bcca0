from .columns import predict_columns as predict_columns
from .inferencer import SR4IRInferencer as SR4IRInferencer
from .lr_input import use_lr_input as use_lr_input
from .lr_predictor import LRPredictor as LRPredictor
from .lr_test_loop import LRTestLoop as LRTestLoop
from .lr_test_loop import collate_list as collate_list
from .tiling import tiled as tiled
