"""Let MMEngine say which file of weights is wrong, and run nothing that is in one.

MMEngine 0.10.7 passes on what PyTorch and pickle raise for a damaged file, without its name, and forgets the name of
the others before they are compared with the network. When a training is resumed, it runs ``meta['config']`` as Python.
This can go when MMEngine's own messages name the file, and nothing is run.
"""

import re
from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import Any

from ..errors import SR4IRError


def name_the_file(load_checkpoint: Callable) -> Callable:
    """Wrap MMEngine's loader of all checkpoints: one message for a file that cannot be read, and the name in others.

    The name is kept in the metadata of the state dict, which PyTorch passes on to the modules.
    """
    explained = explain(load_checkpoint)

    @wraps(load_checkpoint)
    def load(filename: str, *args: Any, **kwargs: Any) -> dict:
        return _checked(explained(filename, *args, **kwargs), str(filename))

    return load


def explain(load_checkpoint: Callable) -> Callable:
    """Wrap a loader of files: one message for a file that cannot be read."""

    @wraps(load_checkpoint)
    def load(filename: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return load_checkpoint(filename, *args, **kwargs)
        except (SR4IRError, FileNotFoundError):
            raise
        except Exception as error:  # of many kinds, since the bytes of a wrong file may mean anything to pickle
            if isinstance(error, OSError) and (error.filename or '://' in str(filename)):  # no permission, no network
                raise
            raise SR4IRError(f"'{filename}' is not a file of weights, or it is damaged: {_reason(error)}") from error

    return load


def _checked(loaded: Any, filename: str) -> dict:
    """Check what was loaded, by the methods of dict itself: those of an object may come from the file."""
    entries = dict(dict.items(loaded)) if isinstance(loaded, dict) else {}
    if isinstance(meta := entries.get('meta'), dict):
        entries['meta'] = {key: value for key, value in dict.items(meta) if key != 'config'}
    elif meta is not None:
        raise SR4IRError(f"'{filename}' is not a file of weights: its 'meta' is of type {type(meta).__name__}.")
    state = entries.get('state_dict', entries)
    if not isinstance(state, dict) or not state or not all(map(_is_entry, dict.items(state))):
        raise SR4IRError(f"'{filename}' has no state dict of a network: name a checkpoint file.")
    metadata = getattr(entries.get('state_dict', loaded), '_metadata', OrderedDict())
    state = OrderedDict(dict.items(state))
    state._metadata = metadata
    metadata.setdefault('', {})['file'] = filename
    return {**entries, 'state_dict': state} if 'state_dict' in entries else state


def _is_entry(item: tuple[Any, Any]) -> bool:
    """Return whether a pair may belong to a state dict; MMEngine would pass over texts with a warning."""
    key, value = item
    return isinstance(key, str) and not isinstance(value, (str, bytes))


def _reason(error: Exception) -> str:
    if blocked := re.search(r'unsupported GLOBAL (\S+) whose module', str(error)):
        return f'it calls {blocked[1]}, which no file of weights does. Do not load it.'
    if unsupported := re.search(r'Unsupported (?:global|class).*?: GLOBAL (\S+)', str(error)):
        return (
            f'it holds Python objects ({unsupported[1]}), which could run code. If you trust it, convert it once: '
            "torch.save(torch.load(FILE, weights_only=False)['state_dict'], NEW)"
        )
    # PyTorch's message begins with the advice to load it without the check
    reason = str(error).rpartition('WeightsUnpickler error:')[2].strip() or 'its end is missing'
    return f'{type(error).__name__}: {reason}'.splitlines()[0]
