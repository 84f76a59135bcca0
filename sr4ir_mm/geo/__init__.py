"""Rasters with a place on the earth: reading scenes by windows, GeoTIFF and GeoJSON; needs the extra ``geo``."""

from ..utils.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
