"""A file of all predictions."""

from collections.abc import Sequence

from mmengine.evaluator import DumpResults

from ..registry import METRICS


@METRICS.register_module()
class DumpPredictions(DumpResults):
    """MMEngine's ``DumpResults`` that leaves out the images which :class:`SRQuality` needs; arguments as in MMEngine.

    Example:
        >>> test_evaluator = [dict(type='sr4ir_mm.DumpPredictions', out_file_path='predictions.pkl')]
    """

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep each data sample without its images ``lr``, ``task_input`` and ``hr``."""
        images = {'lr', 'task_input', 'hr'}
        super().process(data_batch, [{k: v for k, v in s.items() if k not in images} for s in data_samples])
