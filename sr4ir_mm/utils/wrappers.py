"""Wrappers for distributed training."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from torch import nn


def unwrap(net: nn.Module) -> nn.Module:
    """Return the network inside a wrapper for distributed training, or the network itself."""
    from mmengine.model import is_model_wrapper  # takes seconds, which the tools' --help does not need

    return net.module if is_model_wrapper(net) else net


def parts_by_name(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield the modules of a model but wrappers, each with the name that it has when nothing is wrapped."""
    wrappers = []
    for path, module in model.named_modules():
        if unwrap(module) is not module:
            wrappers.append(path)
            continue
        for wrapper in wrappers:
            if f'{path}.'.startswith(f'{wrapper}.module.'):
                path = wrapper + path.removeprefix(f'{wrapper}.module')
        yield path, module


def leave_wrappers_out(model: nn.Module, names: Iterable[str]) -> None:
    """Let state dicts of a model have the same keys whether its networks are wrapped or not.

    MMEngine saves ``sr.module.conv.weight`` after a distributed training, which other runs cannot load.

    Args:
        model (nn.Module): Model.
        names (Iterable[str]): Names of its networks that may be wrapped.
    """
    rename = partial(_rename, tuple(names))  # a model is pickled, which a function in a function is not
    model._register_state_dict_hook(rename)
    model._register_load_state_dict_pre_hook(rename, with_module=True)


def _rename(names: tuple[str, ...], module: nn.Module, state: dict, prefix: str, *_: Any) -> None:
    tables = state, getattr(state, '_metadata', None) or {}
    for name in names:
        own, wrapped = f'{prefix}{name}', f'{prefix}{name}.module'
        if not hasattr(unwrap(getattr(module, name)), 'module'):  # a network can have a part of this name
            for table in tables:
                for key in [key for key in table if f'{key}.'.startswith(f'{wrapped}.')]:
                    table[own + key.removeprefix(wrapped)] = table.pop(key)
