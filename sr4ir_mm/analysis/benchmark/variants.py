"""The ways to train and to predict that a benchmark compares."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import SR4IRError


@dataclass(frozen=True)
class Variant:
    """One way to train.

    Args:
        is_floor (bool): Whether the iteration is plain PyTorch, see :class:`Floor`, and not ours.
        channels_last (bool): Whether the networks are in ``torch.channels_last``.
        amp (bool): Whether mixed precision is used.
        compile (bool): Whether the networks are compiled.
        with_cp (bool): Whether blocks of the SR network run again in the backward pass, which saves memory.
        floor (str): Variant that does the same in plain PyTorch; '' for a floor.
    """

    is_floor: bool = False
    channels_last: bool = False
    amp: bool = False
    compile: bool = False
    with_cp: bool = False
    floor: str = ''


#: ways to train; the first one is what all others are compared with
TRAINING: dict[str, Variant] = {
    'floor': Variant(is_floor=True),
    'floor-channels_last': Variant(is_floor=True, channels_last=True),
    'floor-amp': Variant(is_floor=True, channels_last=True, amp=True),
    'float32': Variant(floor='floor'),
    'channels_last': Variant(channels_last=True, floor='floor-channels_last'),
    'amp': Variant(channels_last=True, amp=True, floor='floor-amp'),
    'compile': Variant(channels_last=True, compile=True, floor='floor-channels_last'),
    'compile-amp': Variant(channels_last=True, amp=True, compile=True, floor='floor-amp'),
    'with_cp': Variant(channels_last=True, with_cp=True, floor='floor-channels_last'),
    'with_cp-amp': Variant(channels_last=True, amp=True, with_cp=True, floor='floor-amp'),
}
#: those that are measured only if they are named
ON_REQUEST = ('compile-amp', 'with_cp', 'with_cp-amp')
#: ways to predict, each with the one that does the same in plain PyTorch: the bare loop (read, S, T), T alone, and
#: tools/infer.py without files, without pictures, with all that it writes by default
INFERENCE: dict[str, str] = {
    'bare': '',
    'bare-amp': '',
    'task': '',
    'infer-no_files': 'bare',
    'infer-no_pictures': 'bare',
    'infer': 'bare',
    'infer-amp': 'bare-amp',
}
#: ways to load: in the main process, and as the config says
LOADING = ('no_workers', 'workers')
REFERENCE = 'float32'
#: names by what is measured; losses are those of our iteration, compared with those of the reference
KNOWN: dict[str, Sequence[str]] = dict(
    training=list(TRAINING),
    inference=list(INFERENCE),
    loading=LOADING,
    losses=[name for name, variant in TRAINING.items() if not variant.is_floor and name != REFERENCE],
)
NAMES = (*TRAINING, *INFERENCE, *LOADING)


def choose(names: Sequence[str] | None, what: str) -> list[str]:
    """Return those of the chosen names that belong to what is measured; without a choice the usual ones.

    Args:
        names (Sequence[str], optional): Chosen names.
        what (str): One of :data:`KNOWN`.

    Raises:
        SR4IRError: If none of them does.
    """
    known = KNOWN[what]
    chosen = [name for name in known if (name in names if names else name not in ON_REQUEST)]
    if not chosen:
        raise SR4IRError(f'None of --variants is one of {what}: choose from {", ".join(known)}, or leave it out.')
    return chosen


def check_choice(names: Sequence[str] | None, whats: Sequence[str]) -> None:
    """Check names before the first measurement, which may take long.

    Raises:
        SR4IRError: If one of them belongs to nothing that is measured, or none to one of these.
    """
    used = {name for what in whats for name in choose(names, what)}
    if unused := set(names or ()) - used:
        raise SR4IRError(f'--variants {min(unused)} has no effect on {", ".join(whats)}: leave it out.')
