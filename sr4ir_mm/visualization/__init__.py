"""Pictures and pages of what a run has learnt."""

from .panel import Panel, make_panel
from .render import render

__all__ = ['Panel', 'make_panel', 'render']
