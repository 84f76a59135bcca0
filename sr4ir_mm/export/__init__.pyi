from .comparison import Difference as Difference
from .exporter import export as export
from .images import find_images as find_images
