from .aspect_ratio import AspectRatioGroupedBatchSampler as AspectRatioGroupedBatchSampler
from .fold import Fold as Fold
from .voc import InclusiveVOCDataset as InclusiveVOCDataset
