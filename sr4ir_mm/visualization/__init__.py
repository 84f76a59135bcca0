"""Panels that show what the SR network changed in an image, and what the task network predicts on it."""

from .baseline import predict_on_bilinear
from .panel import Panel, make_panel
from .render import render

__all__ = ['Panel', 'make_panel', 'predict_on_bilinear', 'render']
