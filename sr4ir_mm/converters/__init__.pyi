from .convert import from_official as from_official
from .convert import to_official as to_official
