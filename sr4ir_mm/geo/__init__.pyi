from .files import is_raster as is_raster
from .geojson import write_geojson as write_geojson
from .geotiff import write_geotiff as write_geotiff
from .raster import RasterScene as RasterScene
