"""CQMix, which mixes two batches of images and so is a transform too."""

from ..models.cqmix import CQMix

__all__ = ['CQMix']
