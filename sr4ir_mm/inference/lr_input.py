"""Changing a config so that its test takes images that are low-resolution already."""

from collections.abc import Sequence

from mmengine.config import Config

from ..config.nodes import find_all, loads_image, type_name
from ..errors import SR4IRError


def use_lr_input(
    cfg: Config, annotations: str = 'hr', slice_size: int | None = None, slice_overlap: float | None = None
) -> None:
    """Change a config so that its test takes LR images; see :class:`LRTestLoop`.

    The data sets only load images, and the test loop does the rest. :class:`SRQuality`, which compares with an HR
    image, is left out.

    Args:
        cfg (Config): Complete config.
        annotations (str): Images whose coordinates the annotations are in: 'lr', those that are loaded, or 'hr',
            images ``scale`` times as large. Masks of classes may be of any size.
        slice_size, slice_overlap (optional): Slices, see :class:`LRPredictor`.

    Raises:
        SR4IRError: If no test data set loads images, or no metric is left.
    """
    pipelines = list(find_all(cfg.test_dataloader, 'pipeline'))
    loading = _loading_steps(pipelines[0] if pipelines else ())
    cfg.test_evaluator = _task_metrics(cfg.test_evaluator)
    (cfg.get('default_hooks') or {}).pop('task_evaluation', None)  # which would add it again
    slices = dict(slice_size=slice_size, slice_overlap=slice_overlap)
    cfg.test_cfg = dict(type='sr4ir_mm.LRTestLoop', annotations=annotations, pipeline=list(pipelines[0]), **slices)
    for pipeline in pipelines:
        pipeline[:] = loading
    cfg.test_dataloader.collate_fn = dict(type='sr4ir_mm.collate_list')


def _loading_steps(pipeline: Sequence[dict]) -> list[dict]:
    if steps := [step for step in pipeline if loads_image(step)]:
        return steps
    raise SR4IRError(
        '--lr-input: the test pipeline has no step LoadImageFromFile; set test_dataloader.dataset.pipeline.'
    )


def _task_metrics(evaluator: dict | list[dict]) -> list[dict]:
    metrics = evaluator if isinstance(evaluator, list) else [evaluator]
    if metrics := [metric for metric in metrics if type_name(metric['type']) != 'SRQuality']:
        return metrics
    raise SR4IRError(
        '--lr-input: SRQuality needs HR images, and test_evaluator has no other metric: add one of the task network.'
    )
