from .cqmix import CQMix as CQMix
from .loading import CheckedLoadImageFromFile as CheckedLoadImageFromFile
