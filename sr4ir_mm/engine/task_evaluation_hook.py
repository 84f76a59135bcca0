"""What a validation of a mixed config has in addition to that of the zoo's config."""

from collections.abc import Callable, Sequence
from functools import partial

from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import Runner

from ..evaluation import SRQuality
from ..evaluation.coco_scores import output_in_log, scores_or_zeros
from ..registry import HOOKS
from ..utils import unwrap


@HOOKS.register_module()
class TaskEvaluationHook(Hook):
    """A hook that measures the images of the SR network next to the zoo's metrics, and keeps the best checkpoint.

    A config of a zoo measures neither, and most keep no best checkpoint. What the config says about either comes first:
    an evaluator that has :class:`SRQuality`, or a ``save_best`` of the checkpoint hook, stays as it is. A run
    without validation stays without one, and under 'H->T' there is no image to measure.

    The best checkpoint is that of the task network's own metric: mIoU where mmseg has several, else the first one of
    the evaluator. mmdet's CocoMetric, which returns nothing if a detector finds nothing, returns 0 then.

    Args:
        quality (Sequence[str]): Metrics of :class:`SRQuality`; () for none.
        save_best (bool): Whether to keep the best checkpoint.

    Example:
        >>> default_hooks = dict(task_evaluation=dict(type='sr4ir_mm.TaskEvaluationHook', quality=['PSNR']))
    """

    priority = 'VERY_HIGH'

    def __init__(self, quality: Sequence[str] = ('PSNR', 'SSIM'), save_best: bool = True) -> None:
        self.quality = [quality] if isinstance(quality, str) else list(quality)
        self.save_best = save_best
        if self.quality:
            SRQuality(self.quality)  # refuses unknown ones before the training, not after its first epoch

    def before_train(self, runner: Runner) -> None:
        """Choose the metric of the best checkpoint, if the config does not."""
        if not self.save_best or runner.val_loop is None or not runner.val_evaluator.metrics:
            return
        name = best_metric(runner.val_evaluator.metrics[0])
        for hook in (hook for hook in runner.hooks if isinstance(hook, CheckpointHook) and not hook.save_best):
            hook.save_best, hook.is_better_than = [name], {}
            hook._init_rule(['greater'], hook.save_best)
            # the hook's own before_train, which follows, finds the best checkpoint so far

    def before_val(self, runner: Runner) -> None:
        """Add what is missing to the evaluator of the validation."""
        self._complete(runner, runner.val_loop.evaluator)

    def before_test(self, runner: Runner) -> None:
        """Add what is missing to the evaluator of the test."""
        self._complete(runner, runner.test_loop.evaluator)

    def _complete(self, runner: Runner, evaluator: Evaluator) -> None:
        for metric in evaluator.metrics:
            if type(metric).__name__ == 'CocoMetric' and 'compute_metrics' not in vars(metric):
                metric.compute_metrics = partial(_compute, metric, metric.compute_metrics)
        is_own = type(evaluator) is not Evaluator  # of one metric for each data set
        has_quality = is_own or any(isinstance(metric, SRQuality) for metric in evaluator.metrics)
        if self.quality and not has_quality and unwrap(runner.model).scheme.test_input != 'hr':
            evaluator.metrics.append(SRQuality(self.quality))  # last: the first metric is that of the task network


def best_metric(metric: BaseMetric) -> str:
    """Return the name of the value of a metric by which checkpoints are compared; 'auto' is MMEngine's first one."""
    if type(metric).__name__ != 'IoUMetric':
        return 'auto'
    # 'aAcc' is the first one: the share of right pixels, most of which are of one class in many data sets
    return f'{metric.prefix}/{metric.metrics[0]}' if metric.prefix else metric.metrics[0]


def _compute(metric: BaseMetric, compute: Callable, results: list) -> dict[str, float]:
    with output_in_log():
        scores = compute(results)
    return scores_or_zeros(metric, scores)
