"""A file of all predictions."""

from collections.abc import Sequence
from typing import Any

from mmengine.evaluator import DumpResults
from mmengine.fileio import dump
from mmengine.logging import print_log

from ..errors import SR4IRError
from ..models.sample_images import without_images
from ..registry import METRICS
from ..utils.files import check_writable, new_file


@METRICS.register_module()
class DumpPredictions(DumpResults):
    """MMEngine's ``DumpResults`` that leaves out the images which :class:`SRQuality` needs; arguments as in MMEngine.

    Raises:
        SR4IRError: If the file is no '.pkl' or '.pickle', or cannot be written.

    Example:
        >>> test_evaluator = [dict(type='sr4ir_mm.DumpPredictions', out_file_path='predictions.pkl')]
    """

    def __init__(self, out_file_path: str, **kwargs: Any) -> None:
        if not str(out_file_path).endswith(('.pkl', '.pickle')):
            raise SR4IRError(f"DumpPredictions: let out_file_path='{out_file_path}' end in .pkl.")
        check_writable(out_file_path)  # before the test, not after it
        super().__init__(str(out_file_path), **kwargs)

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep each data sample without its images ``lr``, ``task_input`` and ``hr``."""
        super().process(data_batch, [without_images(sample) for sample in data_samples])

    def compute_metrics(self, results: list) -> dict:
        """Write the file; there is nothing to measure."""
        with new_file(self.out_file_path) as path:
            dump(results, path, 'pkl')
        print_log(f'Results are in {self.out_file_path}', 'current')
        return {}
