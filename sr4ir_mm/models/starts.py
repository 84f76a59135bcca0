"""The files from which whole networks start, in any of the layouts that are in use."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from mmengine.logging import print_log
from mmengine.model import PretrainedInit, initialize
from torch import nn

from ..errors import SR4IRError
from .layouts import Layout, find_layout, rename
from .loads import State, unpack


def take_files(owner: Any) -> list[dict]:
    """Remove from an ``init_cfg`` the files to start from, and return them.

    Args:
        owner (dict or nn.Module): Config of a network, or a network, whose ``init_cfg`` keeps the other initializers.
    """
    is_dict = isinstance(owner, dict)
    init_cfg = owner.get('init_cfg') if is_dict else getattr(owner, 'init_cfg', None)
    files = [cfg for cfg in as_list(init_cfg) if _is_file(cfg)]
    if files:
        rest = [cfg for cfg in as_list(init_cfg) if cfg not in files] or None
        owner.update(init_cfg=rest) if is_dict else setattr(owner, 'init_cfg', rest)
        if is_dict and not rest:
            del owner['init_cfg']  # not all networks take one
    return files


def start(net: nn.Module, init_cfg: dict | list | None) -> None:
    """Initialize a whole network as MMEngine does, and find its weights in the file, however they are kept there.

    Raises:
        SR4IRError: If the file has nothing under the ``prefix``, or the network under several ones.
    """
    initialize(net, [dict(cfg, type=StartInit) if _is_file(cfg) else cfg for cfg in as_list(init_cfg)])


class StartInit(PretrainedInit):
    """MMEngine's ``Pretrained`` for a whole network.

    The weights may be under 'params' or 'params_ema', have a prefix such as 'generator.' or 'sr.module.', and the names
    of the official code.
    """

    def __call__(self, net: nn.Module) -> None:
        """Load the file into a network."""
        from mmengine.runner.checkpoint import CheckpointLoader, load_state_dict  # takes seconds

        print_log(f'load {type(net).__name__} from: {self.checkpoint}', 'current')
        state = unpack(CheckpointLoader.load_checkpoint(self.checkpoint, self.map_location))
        if self.prefix and not (state := _under(state, f'{self.prefix.rstrip(".")}.')):
            raise SR4IRError(
                f"No key in '{self.checkpoint}' starts with '{self.prefix}', the prefix in init_cfg: correct it, or "
                'set it to None, and the weights are found under any prefix.'
            )
        if hasattr(net, 'with_own_names'):
            state = net.with_own_names(state, self.checkpoint)
        state = _named_as_in(net, state, self.checkpoint)
        versions = getattr(state, '_metadata', OrderedDict())
        state = OrderedDict(state)
        state._metadata = OrderedDict(versions, **{'': {**versions.get('', {}), 'file': self.checkpoint}})
        load_state_dict(net, state, logger='current')


def find_prefixes(keys: Iterable[str], names: Iterable[str]) -> list[str]:
    """Return the prefixes ('' for none) under which most of some names are among the keys: more than half."""
    found, names = set(keys), [name for name in names if 'num_batches_tracked' not in name]
    some = tuple(names[:: max(1, len(names) // 8)])
    tried = {key.removesuffix(name) for name in some for key in found if key.endswith(name)}
    counts = {prefix: sum(prefix + name in found for name in names) for prefix in tried if prefix[-1:] in ('', '.')}
    most = max(counts.values(), default=0)
    return sorted(prefix for prefix, count in counts.items() if count == most) if 2 * most > len(names) else []


def as_list(cfgs: dict | list | None) -> list[dict]:
    """Return the entries of an ``init_cfg``."""
    return [cfg for cfg in (cfgs if isinstance(cfgs, (list, tuple)) else [cfgs]) if cfg]


def _is_file(init_cfg: dict) -> bool:
    return init_cfg.get('type') in ('Pretrained', PretrainedInit)


def _named_as_in(net: nn.Module, state: State, file: str) -> State:
    """Return the weights with the names of a network."""
    layout = found if isinstance(found := find_layout(net), Layout) else None
    prefixes = find_prefixes(state, net.state_dict())
    if prefixes == ['task.'] and any(key.startswith('sr.') for key in state):
        return state  # of a whole training: who names it for the task network alone may mean both
    official = bool(layout) and not prefixes
    if official:
        prefixes = find_prefixes(state, layout.names.values())
    if not prefixes:
        return state
    if len(prefixes) > 1 and prefixes[0]:
        names = ' and '.join(map(repr, prefixes))
        raise SR4IRError(
            f"'{file}' has weights of this {type(net).__name__} under {names}: add one of them as prefix to init_cfg."
        )
    if prefixes[0].endswith('residual.'):
        raise SR4IRError(
            f"'{file}' has a {type(net).__name__} whose output is added to the bilinear image: use it as the net of "
            'sr4ir_mm.BilinearSkip, such as --sr edsr-s.'
        )
    state = _under(state, prefixes[0])
    return rename(net, layout, state, f"'{file}'") if official or (layout and layout.derived) else state


def _under(state: State, prefix: str) -> State:
    """Return the entries under a prefix, and the versions of the modules, which some of the zoos' networks read."""
    found = OrderedDict((key[len(prefix) :], value) for key, value in state.items() if key.startswith(prefix))
    versions = getattr(state, '_metadata', {}).items()
    found._metadata = OrderedDict(
        (key[len(prefix) :], version) for key, version in versions if f'{key}.'.startswith(prefix)
    )
    return found
