"""Training schemes of the paper (section 4, table 1) as data."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass, field, replace

from ..errors import SR4IRError
from ..utils.renamed import current_image

NETS = ('sr', 'task')
#: what the task network can receive; 'bilinear' is the LR image enlarged, 'mix' is CQMix of SR and HR
IMAGES = ('hr', 'bilinear', 'sr', 'mix')


@dataclass(frozen=True)
class Phase:
    """One update of a training iteration.

    Args:
        learn (tuple[str, ...]): Networks that are updated, 'sr' and/or 'task'; the other one is frozen.
        pixel (float): Weight of the L1 loss between SR and HR image.
        tdp (float): Weight of the task-driven perceptual loss, which starts after the warm-up.
        task (dict[str, float]): Weight of the task network's own loss for each image that it receives: 'hr',
            'bilinear' (the LR image, enlarged), 'sr' or 'mix' (CQMix of SR and HR).

    Raises:
        SR4IRError: If a name is unknown, or a loss and the trained networks do not belong together.

    Example:
        >>> Phase(learn=('sr',), pixel=1.0, tdp=1.0)
        >>> Phase(learn=('task',), task=dict(sr=0.34, hr=0.34, mix=0.34))
    """

    learn: tuple[str, ...]
    pixel: float = 0.0
    tdp: float = 0.0
    task: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.task, Mapping):
            raise SR4IRError(f'task={self.task!r} of a phase is not a dict of weights: write task=dict(sr=1.0).')
        object.__setattr__(self, 'learn', (self.learn,) if isinstance(self.learn, str) else tuple(self.learn))
        object.__setattr__(self, 'task', {current_image(image): weight for image, weight in self.task.items()})
        if problem := self._problem():
            raise SR4IRError(f'Phase(learn={self.learn}) of the scheme: {problem}')

    @property
    def needs_sr(self) -> bool:
        """Whether the SR network runs in this phase."""
        return 'sr' in self.learn or any(image in ('sr', 'mix') for image in self.task)

    def has_loss(self, tdp_active: bool) -> bool:
        """Return whether there is something to learn from, with or without the TDP loss."""
        return bool(self.pixel or self.task or (self.tdp and tdp_active))

    def branches(self) -> list['Phase']:
        """Split the phase into parts whose gradients add up, so that only one part's activations are in memory."""
        if 'sr' in self.learn:  # all losses share one graph through the SR network
            return [self]
        return [replace(self, task={image: weight}) for image, weight in self.task.items()]

    def _problem(self) -> str:
        for kind, names, known in (('network', self.learn, NETS), ('image', self.task, IMAGES)):
            if unknown := [name for name in names if name not in known]:
                return f"unknown {kind} '{unknown[0]}'; choose from {', '.join(known)}."
        if not self.learn or len(set(self.learn)) < len(self.learn):
            return f"'learn' must name one or two networks: choose from {', '.join(NETS)}."
        weights = (self.pixel, self.tdp, *self.task.values())
        if not all(map(_is_weight, weights)) or 0 in self.task.values():
            return 'a weight is negative, not finite or no number, or that of an image is zero: remove or correct it.'
        if 'sr' not in self.learn and (self.pixel or self.tdp):
            return "'pixel' and 'tdp' train the SR network only: move them to a phase with learn=('sr',)."
        if 'task' in self.learn and self.tdp:
            return "'tdp' needs a frozen task network: move it to a phase with learn=('sr',)."
        if 'sr' in self.learn and not (self.pixel or self.tdp or {'sr', 'mix'} & set(self.task)):
            return "no loss reaches the SR network: add 'pixel', 'tdp', or a task loss on 'sr'."
        if 'task' not in self.learn and {'hr', 'bilinear'} & set(self.task):
            return "a task loss on 'hr' or 'bilinear' reaches no network that learns: remove it."
        if 'task' in self.learn and not self.task:
            return "the task network has no loss: add task=dict(sr=1.0), or remove 'task' from 'learn'."
        return ''


def _is_weight(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value) and value >= 0


@dataclass(frozen=True)
class Scheme:
    """The phases of an iteration, and what the task network receives at test time.

    Args:
        phases (Sequence[Phase or dict] or str): Phases in order, or the arguments of :class:`Phase`, or the name of a
            scheme.
        test_input (str, optional): 'hr', 'bilinear' or 'sr'. By default it follows from the phases.
        reuse_sr (bool): Whether a phase that does not train the SR network takes the SR images of the phase before it.
            In the paper the SR network runs again, since its update has changed it a little.
        joint (bool): Whether all phases take the networks as they are at the start of the iteration, so that all
            updates come at its end. In the paper each phase is updated before the next one begins.
        shares (Mapping[str, float], optional): Weights of the images from which the task network learns, in place of
            those of the phases that train it alone: ``dict(sr=0.5, hr=0.5)`` is a scheme without CQMix.

    Raises:
        SR4IRError: If a phase is wrong, the phases leave the test input open, or an option has no effect.

    Example:
        >>> Scheme([dict(learn=('sr',), pixel=1.0), dict(learn=('task',), task=dict(sr=0.5, hr=0.5))]).test_input
        'sr'
    """

    phases: Sequence[Phase] | str
    test_input: str | None = None
    reuse_sr: bool = False
    joint: bool = False
    shares: InitVar[Mapping[str, float] | None] = None

    def __post_init__(self, shares: Mapping[str, float] | None) -> None:
        given = SCHEMES[scheme_name(self.phases)].phases if isinstance(self.phases, str) else self.phases
        try:
            phases = tuple(phase if isinstance(phase, Phase) else Phase(**phase) for phase in given)
        except TypeError as error:
            raise SR4IRError(
                f'The scheme has a phase with wrong entries ({error}): see sr4ir_mm.models.Phase.'
            ) from error
        if shares is not None:
            phases = _with_shares(phases, shares)
        object.__setattr__(self, 'phases', phases)
        if not phases:
            raise SR4IRError('The scheme has no phase: add one, e.g. dict(learn=("task",), task=dict(sr=1.0)).')
        test_input = self._default_test_input() if self.test_input is None else current_image(self.test_input)
        object.__setattr__(self, 'test_input', test_input)
        if test_input not in IMAGES[:3]:
            raise SR4IRError(f"test_input='{test_input}' of the scheme is unknown; choose from hr, bilinear, sr.")
        if test_input != 'sr' and 'sr' in self.trainable_nets:
            raise SR4IRError(
                f"The scheme trains the SR network, but test_input='{test_input}' never uses it: set 'sr'."
            )
        using = [phase for phase in phases if phase.needs_sr]
        if self.reuse_sr and all('sr' in phase.learn for phase in using[1:]):
            raise SR4IRError('reuse_sr of the scheme has no effect: no later phase takes SR images. Remove it.')
        if self.joint and (len(phases) < 2 or sum(len(phase.learn) for phase in phases) > len(self.trainable_nets)):
            raise SR4IRError(
                'joint of the scheme takes two phases, one for each network: only then all updates can come at the '
                'end. Remove it.'
            )

    @property
    def trainable_nets(self) -> tuple[str, ...]:
        """Networks that some phase trains: 'sr', 'task' or both."""
        return tuple(net for net in NETS if any(net in phase.learn for phase in self.phases))

    @property
    def frozen_nets(self) -> tuple[str, ...]:
        """Networks that no phase trains."""
        return tuple(net for net in NETS if net not in self.trainable_nets)

    @property
    def uses_task_net(self) -> bool:
        """Whether the task network has a loss; under the scheme 'S' it is not trained and predicts nothing."""
        return any(phase.task for phase in self.phases)

    @property
    def task_losses(self) -> int:
        """Number of images in an iteration for which the task network gives losses."""
        return sum(len(phase.task) for phase in self.phases)

    @property
    def uses_sr_net(self) -> bool:
        """Whether the SR network runs, in training or at test time."""
        return self.test_input == 'sr' or any(phase.needs_sr for phase in self.phases)

    @property
    def uses_tdp(self) -> bool:
        """Whether a phase has the TDP loss."""
        return any(phase.tdp for phase in self.phases)

    def _default_test_input(self) -> str:
        images = {image for phase in self.phases for image in phase.task}
        if not images or (images & {'sr', 'mix'} and 'bilinear' not in images):
            return 'sr'
        if len(images) > 1 or 'sr' in self.trainable_nets:
            trained = ' and '.join(sorted(images))
            raise SR4IRError(
                f'The scheme trains {" and ".join(self.trainable_nets)}, the task network on {trained}: set test_input '
                "to what it receives at test time, scheme=dict(phases=[...], test_input='sr')."
            )
        return images.pop()


def _with_shares(phases: Sequence[Phase], shares: Mapping[str, float]) -> tuple[Phase, ...]:
    """Return the phases with other weights of the images from which the task network learns alone."""
    if all(phase.learn != ('task',) for phase in phases):
        raise SR4IRError('shares of the scheme have no effect: no phase trains the task network alone. Remove them.')
    return tuple(replace(phase, task=shares) if phase.learn == ('task',) else phase for phase in phases)


SCHEMES: dict[str, Scheme] = {
    'S': Scheme([Phase(('sr',), pixel=1.0)]),
    'H->T': Scheme([Phase(('task',), task=dict(hr=1.0))]),
    'L->T': Scheme([Phase(('task',), task=dict(bilinear=1.0))]),
    'S->T': Scheme([Phase(('task',), task=dict(sr=1.0))]),
    'T->S': Scheme([Phase(('sr',), pixel=1.0, task=dict(sr=1.0))]),
    'S+T': Scheme([Phase(('sr', 'task'), pixel=1.0, task=dict(sr=1.0))]),
    'SR4IR': Scheme([Phase(('sr',), pixel=1.0, tdp=1.0), Phase(('task',), task=dict(sr=0.34, hr=0.34, mix=0.34))]),
}
#: names of the schemes that need no quotes in a shell
ALIASES = {'s': 'S', 'h2t': 'H->T', 'l2t': 'L->T', 's2t': 'S->T', 't2s': 'T->S', 'st': 'S+T', 'sr4ir': 'SR4IR'}


def scheme_name(text: str) -> str:
    """Return the name of a scheme of the paper from its name or its alias.

    Raises:
        SR4IRError: If the scheme is unknown.
    """
    name = ALIASES.get(text.lower(), text)
    if name not in SCHEMES:
        names = ', '.join(f'{name} ({alias})' for alias, name in ALIASES.items())
        raise SR4IRError(f"Unknown scheme '{text}'; choose one of {names}.")
    return name


def build_scheme(scheme: 'str | Scheme | Mapping | Sequence[Mapping | Phase]') -> Scheme:
    """Build a scheme from what a config holds.

    Args:
        scheme (str, Scheme, dict or list): Name of a scheme, arguments of :class:`Scheme`, or its phases alone.
            ``dict(phases='SR4IR', reuse_sr=True)`` is the paper's scheme with an option.

    Raises:
        SR4IRError: If the scheme is unknown or wrong.
    """
    if isinstance(scheme, Scheme):
        return scheme
    if isinstance(scheme, str):
        return SCHEMES[scheme_name(scheme)]
    if not isinstance(scheme, Mapping):
        return Scheme(scheme)
    known = ('phases', 'test_input', 'reuse_sr', 'joint', 'shares')
    if unknown := set(scheme) - set(known) or {'phases'} - set(scheme):
        raise SR4IRError(f'The scheme has wrong or missing entries {sorted(unknown)}: it takes {", ".join(known)}.')
    return Scheme(**scheme)
