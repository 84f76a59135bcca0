"""Predictions to a file."""

from collections.abc import Sequence

from mmengine.evaluator import DumpResults

from ..registry import METRICS


@METRICS.register_module()
class DumpPredictions(DumpResults):
    """MMEngine's DumpResults without the images that :class:`SRQuality` needs. Arguments as in MMEngine."""

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep all of each data sample but ``lr``, ``task_input`` and ``hr``."""
        images = {'lr', 'task_input', 'hr'}
        super().process(data_batch, [{k: v for k, v in s.items() if k not in images} for s in data_samples])
