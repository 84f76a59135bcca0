"""The ways to train that a benchmark compares."""

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
        floor (str): Variant that does the same in plain PyTorch; '' for a floor.
    """

    is_floor: bool = False
    channels_last: bool = False
    amp: bool = False
    compile: bool = False
    floor: str = ''


#: by the names of ``--variants``; the first one is what all others are compared with
VARIANTS: dict[str, Variant] = {
    'floor': Variant(is_floor=True),
    'floor-channels_last': Variant(is_floor=True, channels_last=True),
    'floor-amp': Variant(is_floor=True, channels_last=True, amp=True),
    'float32': Variant(floor='floor'),
    'channels_last': Variant(channels_last=True, floor='floor-channels_last'),
    'amp': Variant(channels_last=True, amp=True, floor='floor-amp'),
}


def find_variants(names: list[str]) -> dict[str, Variant]:
    """Return variants by their names.

    Raises:
        SR4IRError: If a name is unknown.
    """
    for name in names:
        if name not in VARIANTS:
            raise SR4IRError(f"Unknown variant '{name}'; choose from {', '.join(VARIANTS)}.")
    return {name: VARIANTS[name] for name in names}
