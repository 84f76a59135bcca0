from .cqmix import CQMix as CQMix
from .loading import CheckedLoadImageFromFile as CheckedLoadImageFromFile
from .raster import LoadRaster as LoadRaster
from .raster import raster_options as raster_options
