"""Tests on data sets whose images are low-resolution already."""

from mmengine.config import Config

from ..config.nodes import find_all, type_name
from ..errors import SR4IRError


def use_lr_input(cfg: Config, annotations: str = 'hr') -> None:
    """Change a config so that its test takes LR images; see :class:`LRTestLoop`.

    The data sets load the image and no more, the test loop does the rest, and :class:`SRQuality`, which compares with
    an HR image, is left out.

    Args:
        cfg (Config): A complete config.
        annotations (str): What the annotations are coordinates of: 'lr', the images, or 'hr', images ``scale`` times
            as large. Masks of classes may be of any size.

    Raises:
        SR4IRError: If no test data set loads images, or no metric is left.
    """
    pipelines = list(find_all(cfg.test_dataloader, 'pipeline'))
    loads = [step for step in (pipelines or [()])[0] if 'LoadImage' in type_name(step['type'])]
    if not loads:
        raise SR4IRError(
            '--lr-input: the test pipeline has no step LoadImageFromFile; set test_dataloader.dataset.pipeline.'
        )
    metrics = cfg.test_evaluator if isinstance(cfg.test_evaluator, list) else [cfg.test_evaluator]
    cfg.test_evaluator = [metric for metric in metrics if type_name(metric['type']) != 'SRQuality']
    if not cfg.test_evaluator:
        raise SR4IRError('--lr-input: SRQuality needs HR images, and test_evaluator has no other metric: add one of T.')
    cfg.test_cfg = dict(type='sr4ir_mm.LRTestLoop', annotations=annotations, pipeline=list(pipelines[0]))
    for pipeline in pipelines:
        pipeline[:] = loads
    cfg.test_dataloader.collate_fn = dict(type='sr4ir_mm.collate_list')
