"""Data samples of some classes, or of high scores: ``--classes`` and ``--score-thr``."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from mmengine.structures import BaseDataElement, PixelData

from ..errors import SR4IRError
from ..models.loads import first_few
from .class_names import with_nearest

#: value of a map where the class is none of the chosen ones: what the zoos neither draw nor count
UNLABELED = 255


@dataclass(frozen=True)
class Selection:
    """The predictions that are kept; the others are removed.

    Args:
        labels (Sequence[int], optional): Labels of the classes. In a map, pixels of others become 255 (unlabeled); of
            whole images, others score 0, so that the best of the chosen ones is predicted.
        score_thr (float, optional): Lowest score of an object.

    Example:
        >>> Selection(find_labels(['car'], classes), 0.3)(sample)
    """

    labels: Sequence[int] | None = None
    score_thr: float | None = None

    def __call__(self, sample: BaseDataElement) -> None:
        """Remove predictions from a data sample of mmseg, mmdet or mmpretrain.

        Raises:
            SR4IRError: If it has no predictions of a kind that can be chosen from.
        """
        if self.score_thr is not None:
            if 'pred_instances' not in sample:
                raise SR4IRError('--score-thr is for objects, and this task network predicts none: leave it out.')
            objects = sample.pred_instances
            sample.pred_instances = objects[objects.scores >= self.score_thr]
        if self.labels is not None and not keep_classes(sample, 'pred', self.labels):
            raise SR4IRError(
                '--classes chooses from objects, maps of classes and classes of images, and this task network predicts '
                'none of them: leave it out.'
            )


def keep_classes(sample: BaseDataElement, prefix: str, labels: Sequence[int]) -> bool:
    """Remove what is of other classes from a data sample.

    Args:
        sample (BaseDataElement): Data sample, which is changed.
        prefix (str): 'pred', predictions, or 'gt', ground truth.
        labels (Sequence[int]): Labels to keep.

    Returns:
        bool: Whether the data sample has classes of a known kind.
    """
    found = False
    for name in (f'{prefix}_instances', *(['ignored_instances'] if prefix == 'gt' else [])):
        if name in sample:
            objects = sample.get(name)
            sample.set_data({name: objects[is_among(objects.labels, labels)]})
            found = True
    if f'{prefix}_sem_seg' in sample:
        fields = dict(sample.get(f'{prefix}_sem_seg').items())
        maps = {name: torch.where(is_among(data, labels), data, UNLABELED) for name, data in fields.items()}
        sample.set_data({f'{prefix}_sem_seg': PixelData(**maps)})
        found = True
    if prefix == 'pred' and 'pred_score' in sample and f'{prefix}_panoptic_seg' not in sample:
        _keep_scores(sample, labels)
        found = True
    return found and f'{prefix}_panoptic_seg' not in sample


def find_labels(classes: Sequence[str | int], names: Sequence[str]) -> list[int]:
    """Return the labels of classes.

    Args:
        classes (Sequence[str or int]): Names, or labels from 0 on. A number that is a name is taken for the name.
        names (Sequence[str]): Names of all classes in the order of their labels; empty if they are unknown.

    Raises:
        SR4IRError: If a class is unknown; the message has the most similar name.
    """
    known = range(len(names)) if names else None
    found = []
    for text in map(str, [classes] if isinstance(classes, (str, int)) else classes):
        if text in names:
            found.append(list(names).index(text))
        elif text.isdecimal() and (known is None or int(text) in known):
            found.append(int(text))
        elif text.isdecimal():
            raise SR4IRError(f'The class {text} is unknown: the {len(names)} classes are numbered 0 to {known[-1]}.')
        else:
            listed = f'; the classes are {first_few(names, 20)}' if names else ': the data set has no names'
            raise SR4IRError(f'Unknown class {with_nearest([text], names)}{listed}.')
    if not found:
        raise SR4IRError('--classes is empty: name a class, or leave it out.')
    return sorted(set(found))


def _keep_scores(sample: BaseDataElement, labels: Sequence[int]) -> None:
    """Let mmpretrain's data sample predict one of the labels; of several for one image, those of them."""
    scores = sample.pred_score
    one_of_all = scores.sum().sub(1).abs() < 1e-2  # otherwise each class has a probability of its own
    chosen = torch.where(is_among(torch.arange(len(scores), device=scores.device), labels), scores, 0)
    old = sample.get('pred_label')
    sample.set_pred_score(chosen)
    sample.set_pred_label(chosen.argmax() if one_of_all or old is None else old[is_among(old, labels)])


def is_among(found: torch.Tensor, labels: Sequence[int]) -> torch.Tensor:
    """Return which labels of a tensor are among some, as a tensor of the same shape."""
    return torch.isin(found, torch.tensor(list(labels), device=found.device))
