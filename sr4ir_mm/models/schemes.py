"""The paper's schemes (section 4, table 1) as data."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ..errors import SR4IRError


@dataclass(frozen=True)
class Phase:
    """One update of a training iteration.

    Args:
        learn (tuple[str, ...]): The nets that are updated, 'sr' and/or 'task'; the other one is frozen.
        pixel (float): Weight of the L1 loss between SR and HR image.
        tdp (float): Weight of the task-driven perceptual loss, which waits for the end of the warm-up.
        task (dict[str, float]): Weight of T's own loss by the image that T sees: 'hr'; 'lr' (bilinear up-sampling);
            'sr'; 'mix' (CQMix of SR and HR).
    """

    learn: tuple[str, ...]
    pixel: float = 0.0
    tdp: float = 0.0
    task: dict[str, float] = field(default_factory=dict)

    @property
    def needs_sr(self) -> bool:
        """Whether S runs in this phase."""
        return 'sr' in self.learn or any(image in ('sr', 'mix') for image in self.task)

    def branches(self) -> list['Phase']:
        """The parts whose gradients add up independently, so that one part's activations are alive at a time."""
        if 'sr' in self.learn:  # all losses share one graph through S
            return [self]
        return [replace(self, task={image: weight}) for image, weight in self.task.items()]


SCHEMES: dict[str, list[Phase]] = {
    'S': [Phase(('sr',), pixel=1.0)],
    'H->T': [Phase(('task',), task=dict(hr=1.0))],
    'L->T': [Phase(('task',), task=dict(lr=1.0))],
    'S->T': [Phase(('task',), task=dict(sr=1.0))],
    'T->S': [Phase(('sr',), pixel=1.0, task=dict(sr=1.0))],
    'S+T': [Phase(('sr', 'task'), pixel=1.0, task=dict(sr=1.0))],
    'SR4IR': [Phase(('sr',), pixel=1.0, tdp=1.0), Phase(('task',), task=dict(sr=0.34, hr=0.34, mix=0.34))],
}


def resolve_scheme(scheme: str | Sequence[dict]) -> list[Phase]:
    """The phases of a scheme, given by its name or as arguments of :class:`Phase`.

    Raises:
        SR4IRError: If there is no scheme of this name.
    """
    if not isinstance(scheme, str):
        return [Phase(**phase) for phase in scheme]
    if scheme not in SCHEMES:
        raise SR4IRError(f"There is no scheme '{scheme}'; choose one of {', '.join(SCHEMES)}.")
    return SCHEMES[scheme]
