"""What to do about weights that do not fit."""

from torch import nn

from ..utils import unwrap
from .loads import Gaps, Load, first_few
from .starts import find_prefixes

NAMES = dict(sr='super-resolution network', task='task network')


def whole_hint(model: nn.Module, load: Load, gaps: Gaps) -> str:
    """Say what kind of file was loaded as the whole model, and what to do."""
    absent = [name for name in model.used_nets if not any(key.startswith(f'{name}.') for key in load.keys)]
    for name in absent:
        if (prefix := _prefix(load.keys, unwrap(getattr(model, name)))) is not None:
            start = f"dict(type='Pretrained'{prefix and f', prefix={prefix!r}'}, checkpoint=...)"
            return (
                f'It holds a {NAMES[name]} alone: to start from it, set model.{name}.init_cfg={start}, not load_from.'
            )
    if len(absent) == len(model.used_nets):
        return f'It is of another model; its entries are {first_few(load.keys)}.'
    if absent:
        return (
            f'It has no {NAMES[absent[0]]}: it is of another scheme. Use the config of that training, which is in the '
            'checkpoint, or its --scheme.'
        )
    return f'Use the config of that training, which is in the checkpoint. {_may_differ(model, gaps)}'


def net_hint(net: nn.Module, load: Load, gaps: Gaps) -> str:
    if prefix := _prefix(load.keys, net):
        both = ' To start both networks from it, give it as load_from to the config of that training, which is in it.'
        return (
            f"The weights of this network have the prefix '{prefix}' there: add prefix='{prefix}'."
            f'{both if prefix == "task." else ""}'
        )
    return f'Name a file for this network. {_may_differ(net, gaps)}'.strip()


def _may_differ(net: nn.Module, gaps: Gaps) -> str:
    """Say how to ask for the gaps, if the largest part of the network fits."""
    if not gaps or 2 * len(gaps.random() + gaps.more) > len(net.state_dict()):
        return ''
    modules = dict.fromkeys(key.rpartition('.')[0] for key in (*gaps.random(), *gaps.more))
    names = ','.join(list(modules)[:5])
    option = f'--cfg-options model.may_differ={names}'
    return f'If a part is to start from random weights, such as a head for other classes: {option}'


def _prefix(keys: list[str], net: nn.Module) -> str | None:
    """Return the prefix ('' for none) under which most keys of a network are in a file, or None."""
    return next(iter(find_prefixes(keys, net.state_dict())), None)
