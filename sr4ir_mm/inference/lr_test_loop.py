"""Tests on data sets whose images are low-resolution already."""

from collections.abc import Sequence

from mmengine.evaluator import Evaluator
from mmengine.runner import Runner, TestLoop
from mmengine.runner.amp import autocast
from torch.utils.data import DataLoader

from ..registry import FUNCTIONS, LOOPS
from ..utils import unwrap
from .lr_predictor import LRPredictor


@LOOPS.register_module()
class LRTestLoop(TestLoop):
    """MMEngine's test loop for LR images: nothing is degraded, and T predicts in the coordinates of the annotations.

    Args:
        runner (Runner): As in MMEngine.
        dataloader (DataLoader or dict): Its data set loads images and does no more; it collates by
            :func:`collate_list`.
        evaluator (Evaluator or dict or list): T's metrics; those that need an HR image have no place here.
        pipeline (Sequence[dict]): T's test pipeline, see :class:`LRPredictor`.
        annotations (str): What the annotations are coordinates of: 'lr', the images that are loaded, or 'hr', images
            ``scale`` times as large.
        tile (int): See :class:`LRPredictor`.
        fp16 (bool): As in MMEngine.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: DataLoader | dict,
        evaluator: Evaluator | dict | list,
        pipeline: Sequence[dict],
        annotations: str = 'hr',
        tile: int = 256,
        fp16: bool = False,
    ) -> None:
        super().__init__(runner, dataloader, evaluator, fp16)
        self.coords = dict(lr='lr', hr='sr')[annotations]
        self.predictor = LRPredictor(unwrap(runner.model), pipeline, annotations=True, tile=tile)

    def run_iter(self, idx: int, data_batch: list[dict]) -> None:
        """Test one batch."""
        self.runner.call_hook('before_test_iter', batch_idx=idx, data_batch=data_batch)
        with autocast(enabled=self.fp16):
            outputs = self.predictor(data_batch, self.coords)
        self.evaluator.process(data_samples=outputs, data_batch=data_batch)
        self.runner.call_hook('after_test_iter', batch_idx=idx, data_batch=data_batch, outputs=outputs)


@FUNCTIONS.register_module()
def collate_list(batch: list) -> list:
    """A batch as it comes: the images are of any size, and what is beside them too."""
    return batch
