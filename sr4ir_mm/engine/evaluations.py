"""What is prepared before each validation and test."""

from functools import partial

from mmengine.evaluator import DumpResults, Evaluator
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner
from torch import nn

from ..evaluation import SRQuality
from ..models.sample_images import without_images
from ..models.weights import check_trained
from ..utils import unwrap


def prepare_evaluation(model: nn.Module, evaluator: Evaluator, is_early: bool = False) -> None:
    """Prepare a validation or a test.

    Args:
        model (SR4IR): Model, not wrapped.
        evaluator (Evaluator): Evaluator of the loop.
        is_early (bool): Whether an SR network from scratch cannot have learned to enlarge yet.

    Raises:
        SR4IRError: If the model has random weights.
    """
    check_trained(model)
    make_gallery(model)
    for metric in evaluator.metrics:
        if isinstance(metric, DumpResults) and 'process' not in vars(metric):
            metric.process = partial(_process_without_images, metric.process)
        if isinstance(metric, SRQuality):
            metric.compared_scale = model.scale if model.scheme.test_input == 'sr' and not is_early else None


def best_metrics(runner: Runner) -> list[str]:
    """Return the metrics by which the hooks that save checkpoints keep the best one; 'auto' is the first metric."""
    hooks = (hook for hook in runner.hooks if isinstance(hook, CheckpointHook))
    return [name for hook in hooks for name in hook.save_best or ()]


def make_gallery(model: nn.Module) -> None:
    """Make the gallery of a retriever from images as the task network receives them, and with its present weights.

    mmpretrain's PrepareProtoBeforeValLoopHook looks for a retriever in the runner's model itself, not inside of it,
    and a retriever reads its gallery as it is: HR images.

    Args:
        model (SR4IR): Model, not wrapped.
    """
    retriever = unwrap(model.task)
    if hasattr(retriever, 'prepare_prototype'):
        # only of a data set; features that a file holds stay as they are
        features = type(retriever)._get_prototype_vecs_from_dataloader
        retriever._get_prototype_vecs_from_dataloader = partial(features, model)
        retriever.prepare_prototype()


def _process_without_images(process, data_batch: dict, data_samples: list[dict]) -> None:
    process(data_batch, [without_images(sample) for sample in data_samples])
