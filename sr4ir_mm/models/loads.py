"""What a file of weights and a network do not have in common."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..errors import SR4IRError

State = dict[str, Tensor]
_SHAPES = re.compile(r'size mismatch for (\S+): .* torch\.Size\(\[(.*?)\]\) .* torch\.Size\(\[(.*?)\]\)', re.DOTALL)


@dataclass
class Gaps:
    """What a file of weights and a network do not have in common.

    Args:
        lacks (list[str]): Keys of the network that the file does not have.
        more (list[str]): Keys of the file that the network does not have.
        shapes (dict[str, str]): Keys of both with their two shapes, where these differ.
    """

    lacks: list[str] = field(default_factory=list)
    more: list[str] = field(default_factory=list)
    shapes: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.lacks or self.more or self.shapes)

    def __str__(self) -> str:
        parts = (
            ('lacks', self.lacks),
            ('also has', self.more),
            ('has other shapes', [f'{key} {shapes}' for key, shapes in self.shapes.items()]),
        )
        return '; '.join(f'it {verb} {first_few(keys)}' for verb, keys in parts if keys)

    def random(self) -> list[str]:
        """Return the keys of the network that the file leaves as they are."""
        return [*self.lacks, *self.shapes]

    def under(self, prefix: str) -> 'Gaps':
        """Return the gaps with a prefix before each key."""
        lacks, more = ([prefix + key for key in keys] for keys in (self.lacks, self.more))
        return Gaps(lacks, more, {prefix + key: text for key, text in self.shapes.items()})

    def select(self, keep: Callable[[str], bool]) -> 'Gaps':
        """Return the gaps whose keys meet a condition."""
        shapes = {key: text for key, text in self.shapes.items() if keep(key)}
        return Gaps(list(filter(keep, self.lacks)), list(filter(keep, self.more)), shapes)


class Load(NamedTuple):
    """One load of a state dict into a network: name of the file, its keys, and what does not fit."""

    file: str | None
    keys: list[str]
    gaps: Gaps


class LoadWatch:
    """Call a function after each load of a state dict into a network.

    The networks' own hooks are used, so every way of loading is seen: PyTorch's, MMEngine's Runner, ``init_cfg``.

    Args:
        net (nn.Module): Network. Loads into a larger module of which it is a part are not its own.
        judge (Callable): Function of the network and the :class:`Load`.
        keeps_values (bool): Whether to keep the latest weights for :meth:`overwritten`.
    """

    def __init__(self, net: nn.Module, judge: Callable[[nn.Module, Load], None], keeps_values: bool = False) -> None:
        self.net, self.judge, self.keeps_values = net, judge, keeps_values
        self.begun: tuple | None = None
        self.latest: tuple[str | None, State] = (None, {})
        self.handles = [
            net._register_load_state_dict_pre_hook(self._begin),
            net.register_load_state_dict_post_hook(self._end),
        ]

    def remove(self) -> None:
        """Stop watching."""
        for handle in self.handles:
            handle.remove()

    def overwritten(self) -> list[str]:
        """Return the names of the parameters that no longer have the values of the latest load."""
        state, now = self.latest[1], self.net.named_parameters(remove_duplicate=False)
        both = [(name, param, state[name]) for name, param in now if name in state]
        both = [(name, param, value) for name, param, value in both if value.shape == param.shape]
        # one that has several names is that of one of them
        kept = {id(param) for _, param, value in both if torch.allclose(value.to(param), param, 0, 0, equal_nan=True)}
        return [name for name, param, _ in both if id(param) not in kept]

    def _begin(self, state: dict, prefix: str, metadata: dict, strict: bool, lacks: list, more: list, errors: list):
        own = prefix in ('', 'module.')  # the second one in averaged models
        self.begun = (prefix, dict(state), errors, metadata.get('file')) if own else None
        if self.keeps_values and prefix == '':
            self.latest = (metadata.get('file'), state)

    def _end(self, net: nn.Module, incompatible: Any) -> None:
        if self.begun is None:
            return
        (prefix, state, errors, file), self.begun = self.begun, None
        found = (match.groups() for match in map(_SHAPES.search, errors) if match)
        gaps = Gaps(
            _without_computed(net, [key.removeprefix(prefix) for key in incompatible.missing_keys], prefix, state),
            [key.removeprefix(prefix) for key in _without_copies(incompatible.unexpected_keys, state)],
            {key.removeprefix(prefix): f'({theirs}) for ({ours})' for key, theirs, ours in found},
        )
        self.judge(net, Load(file, [key.removeprefix(prefix) for key in state], gaps))


def _without_computed(net: nn.Module, keys: list[str], prefix: str, state: State) -> list[str]:
    """Leave out what a file need not have.

    BatchNorm counts batches since PyTorch 0.4, and does not need the number. Buffers that the file has and the network
    leaves out, such as the indices of windows of Swin V2, it computes itself.
    """
    learned = {name for name, _ in net.named_parameters(remove_duplicate=False)}
    keys = [key for key in keys if 'num_batches_tracked' not in key]
    return [key for key in keys if prefix + key not in state or key in learned]


def _without_copies(keys: list[str], state: State) -> list[str]:
    """Leave out keys whose values have another name too: DDQ gives parts of it a second one when it is trained."""
    others = [value for key, value in state.items() if key not in keys and isinstance(value, Tensor)]

    def is_copy(value: Any) -> bool:
        if not isinstance(value, Tensor):
            return False
        return any(other.shape == value.shape and torch.equal(other, value) for other in others)

    return [key for key in keys if not is_copy(state.get(key))]


def first_few(texts: Iterable[str], limit: int = 3) -> str:
    """Join the first texts, and say how many more there are."""
    texts = list(texts)
    more = f' and {len(texts) - limit} more' if len(texts) > limit else ''
    return ', '.join(texts[:limit]) + more


def unpack(loaded: Any) -> Any:
    """Return the state dict in a file: MMEngine puts it under 'state_dict', BasicSR under 'params' or 'params_ema'."""
    for key in ('params_ema', 'params', 'state_dict') if isinstance(loaded, dict) else ():
        if isinstance(loaded.get(key), dict) and loaded[key]:
            return loaded[key]
    return loaded


def check_fit(what: str, found: State, expected: State) -> None:
    """Check that two state dicts have the same keys and shapes.

    Args:
        what (str): Name of the first one in the message.
        found (dict[str, Tensor]): State dict of a file.
        expected (dict[str, Tensor]): State dict of the network of the config.

    Raises:
        SR4IRError: If they differ; the message names the first few differences.
    """
    shapes = {key: tuple(value.shape) for key, value in found.items()}
    gaps = Gaps(
        [key for key in expected if key not in found],
        [key for key in found if key not in expected],
        {
            key: f'{shapes[key]} for {tuple(value.shape)}'
            for key, value in expected.items()
            if key in found and shapes[key] != tuple(value.shape)
        },
    )
    if gaps:
        raise SR4IRError(f'{what} does not fit the config: {gaps}. Use the config of that training.')
