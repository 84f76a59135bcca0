from .exporter import Difference as Difference
from .exporter import export as export
