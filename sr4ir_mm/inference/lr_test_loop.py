"""Test loop for data sets whose images are low-resolution already."""

from collections.abc import Sequence

from mmengine.evaluator import Evaluator
from mmengine.runner import Runner, TestLoop
from torch.utils.data import DataLoader

from ..errors import SR4IRError
from ..registry import FUNCTIONS, LOOPS
from ..utils import unwrap
from .lr_predictor import LRPredictor


@LOOPS.register_module()
class LRTestLoop(TestLoop):
    """MMEngine's test loop for LR images.

    No image is degraded, and the task network predicts in the coordinates of the annotations.

    Args:
        runner (Runner): Runner, as in MMEngine.
        dataloader (DataLoader or dict): Loader of a data set whose pipeline only loads images, with the collate
            function :func:`collate_list`.
        evaluator (Evaluator or dict or list): Metrics of the task network, but none that needs an HR image.
        pipeline (Sequence[dict]): Test pipeline of the task network, see :class:`LRPredictor`.
        annotations (str): Images whose coordinates the annotations are in: 'lr', those that are loaded, or 'hr',
            images ``scale`` times as large.
        tile (int): Size of tiles, see :class:`LRPredictor`.
        slice_size, slice_overlap (optional): Slices of large images, see :class:`LRPredictor`.
        fp16 (bool): Whether to use mixed precision, as MMEngine calls it; bfloat16 on a CPU.

    Raises:
        SR4IRError: If an argument is wrong, or an image does not belong to its annotations.

    Example:
        >>> test_cfg = dict(type='sr4ir_mm.LRTestLoop', pipeline=test_pipeline, annotations='lr')
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: DataLoader | dict,
        evaluator: Evaluator | dict | list,
        pipeline: Sequence[dict],
        annotations: str = 'hr',
        tile: int = 256,
        slice_size: int | None = None,
        slice_overlap: float | None = None,
        fp16: bool = False,
    ) -> None:
        if annotations not in (coords := dict(lr='lr', hr='sr')):
            raise SR4IRError(f"LRTestLoop: annotations='{annotations}' must be 'lr' or 'hr'.")
        super().__init__(runner, dataloader, evaluator, fp16)
        self.coords = coords[annotations]
        options = dict(tile=tile, amp=fp16, slice_size=slice_size, slice_overlap=slice_overlap)
        self.predictor = LRPredictor(unwrap(runner.model), pipeline, annotations=True, **options)

    def run_iter(self, idx: int, data_batch: list[dict]) -> None:
        """Test one batch."""
        self.runner.call_hook('before_test_iter', batch_idx=idx, data_batch=data_batch)
        outputs = self.predictor(data_batch, self.coords)
        self.evaluator.process(data_samples=outputs, data_batch=data_batch)
        self.runner.call_hook('after_test_iter', batch_idx=idx, data_batch=data_batch, outputs=outputs)


@FUNCTIONS.register_module()
def collate_list(batch: list) -> list:
    """Return a batch as the list that it is: its images differ in size."""
    return batch
