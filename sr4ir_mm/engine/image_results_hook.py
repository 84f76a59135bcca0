"""A file with the results of each image of a test."""

from functools import partial
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner

from ..datasets.class_names import first_meta
from ..errors import SR4IRError
from ..evaluation.image_results import Arrays, ImageNames, image_results
from ..registry import HOOKS
from ..utils import new_file
from ..utils.files import check_writable


@HOOKS.register_module()
class ImageResultsHook(Hook):
    """Hook that writes what the metrics of a test measure on each image, for paired statistics.

    The evaluator stays as it is, and so do its values. The file holds ``images``, the paths of the images, ``classes``,
    their names, and the arrays of :func:`image_results`; ``numpy.load`` reads it. Metrics other than top-1 accuracy,
    mIoU, COCO's mAP and :class:`SRQuality` are left out.

    Args:
        out_file (str): File to write, '.npz'.

    Raises:
        SR4IRError: If the file has another suffix, or cannot be written.

    Example:
        >>> custom_hooks = [dict(type='sr4ir_mm.ImageResultsHook', out_file='images.npz')]
    """

    def __init__(self, out_file: str) -> None:
        if not str(out_file).endswith('.npz'):
            raise SR4IRError(f"ImageResultsHook: let out_file='{out_file}' end in .npz.")
        self.out_file = out_file
        self.arrays: Arrays = {}

    def before_test_epoch(self, runner: Runner) -> None:
        """Listen to the metrics of the evaluator."""
        check_writable(self.out_file)  # before the test, not after it
        evaluator = runner.test_loop.evaluator
        for metric in evaluator.metrics:
            metric.compute_metrics = partial(self._compute, metric, metric.compute_metrics)
        self.names = ImageNames(prefix='images')
        evaluator.metrics.append(self.names)

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Write the file, in the main process, and leave the evaluator as it was."""
        evaluator = runner.test_loop.evaluator
        evaluator.metrics.remove(self.names)
        for metric in evaluator.metrics:
            del metric.compute_metrics
        if not hasattr(self.names, 'names'):  # another process has the results
            return
        classes = first_meta(evaluator.dataset_meta).get('classes') or ()
        names = dict(images=np.array(self.names.names, str), classes=np.array(classes, str))
        with new_file(self.out_file) as path:
            np.savez_compressed(path, **names, **self.arrays)
        print_log(f'The results of each image are in {self.out_file}', 'current')

    def _compute(self, metric: BaseMetric, compute: Any, results: list) -> dict:
        """Compute a metric, then keep its results for each image."""
        metrics = compute(results)
        self.arrays |= image_results(metric, results)
        return metrics
