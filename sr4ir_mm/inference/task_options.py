"""Options of predictions, built into the task network of a model, so that everything that runs it has them."""

from collections.abc import Sequence
from typing import Any

from mmengine.config import Config
from torch import Tensor

from ..config.predict import PredictOptions
from ..datasets.selection import Selection, find_labels
from ..models import SR4IR
from ..utils import unwrap
from .tta import augment


def set_options(
    model: SR4IR, cfg: Config, options: PredictOptions, names: Sequence[str], drops_scores: bool = True
) -> list[int] | None:
    """Let the task network of a model predict as options say; its weights and their names stay.

    Args:
        model (SR4IR): Model, wrapped or not, which is changed.
        cfg (Config): Config of the run.
        options (PredictOptions): Options.
        names (Sequence[str]): Names of the classes.
        drops_scores (bool): Whether objects of low scores are removed; a metric needs them.

    Returns:
        list[int], optional: Labels of the chosen classes.

    Raises:
        SR4IRError: If the task network does not take an option.
    """
    labels = None if options.classes is None else find_labels(options.classes, names)
    if options.tta:
        augment(model, cfg)
    selection = Selection(labels, options.score_thr if drops_scores else None)
    if selection != Selection():
        task = unwrap(unwrap(model).task)
        task.forward = _selecting(task.forward, selection)
    return labels


def _selecting(forward: Any, selection: Selection) -> Any:
    def run(inputs: Tensor, data_samples: list | None = None, mode: str = 'tensor') -> Any:
        outputs = forward(inputs, data_samples, mode=mode)
        for sample in outputs if mode == 'predict' else ():
            selection(sample)
        return outputs

    return run
