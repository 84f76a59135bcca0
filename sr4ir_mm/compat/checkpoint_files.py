"""Let MMEngine say which file of weights is wrong.

MMEngine 0.10.7 passes on what PyTorch and pickle raise for a damaged file, without its name, and forgets the name of
the others before they are compared with the network. This can go when MMEngine's own messages name the file.
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

    @wraps(load_checkpoint)
    def load(filename: str, *args: Any, **kwargs: Any) -> Any:
        try:
            loaded = load_checkpoint(filename, *args, **kwargs)
        except (SR4IRError, FileNotFoundError):
            raise
        except Exception as error:  # of many kinds, since the bytes of a wrong file may mean anything to pickle
            if isinstance(error, OSError) and (error.filename or '://' in str(filename)):  # no permission, no network
                raise
            raise SR4IRError(f"'{filename}' is not a file of weights, or it is damaged: {_reason(error)}") from error
        return _with_name(loaded, str(filename))

    return load


def _with_name(loaded: Any, filename: str) -> dict:
    state = loaded.get('state_dict', loaded) if isinstance(loaded, dict) else None
    if not isinstance(state, dict) or not state or not all(map(_is_entry, state.items())):
        raise SR4IRError(f"'{filename}' has no state dict of a network: name a checkpoint file.")
    metadata = getattr(state, '_metadata', OrderedDict())
    state = OrderedDict(state)
    state._metadata = metadata
    metadata.setdefault('', {})['file'] = filename
    return {**loaded, 'state_dict': state} if 'state_dict' in loaded else state


def _is_entry(item: tuple[Any, Any]) -> bool:
    """Return whether a pair may belong to a state dict; MMEngine would pass over texts with a warning."""
    key, value = item
    return isinstance(key, str) and not isinstance(value, (str, bytes))


def _reason(error: Exception) -> str:
    if unsupported := re.search(r'Unsupported (?:global|class).*?: GLOBAL (\S+)', str(error)):
        return (
            f'it holds Python objects ({unsupported[1]}), which could run code. If you trust it, convert it once: '
            "torch.save(torch.load(FILE, weights_only=False)['state_dict'], NEW)"
        )
    return f'{type(error).__name__}: {error}'.splitlines()[0]
