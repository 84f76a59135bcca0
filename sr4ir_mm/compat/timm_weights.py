"""Let an ``init_cfg`` name weights of timm: 'timm://tf_efficientnet_lite0', or 'timm://FILE' for a file of timm.

MMEngine 0.10.7 knows weights of torchvision by name, not those of timm, and mmpretrain 1.2.0's ``TIMMBackbone`` loads
them each time it is built, also for a test. This can go when MMEngine knows them.
"""

import os
from collections import OrderedDict
from collections.abc import Callable, Set
from functools import wraps
from typing import Any

from torch import Tensor, nn

from ..errors import SR4IRError

SCHEME = 'timm://'
_PREFIX = 'timm_model.'


def load_from_timm(filename: str, map_location: Any = None, **kwargs: Any) -> OrderedDict[str, Tensor]:
    """Load weights with the names that they have in ``TIMMBackbone`` without ``features_only``.

    Args:
        filename (str): 'timm://' and the name of a model of timm, or a file of such a model.
        map_location (Any): Not used: the network takes the weights to its own device.
        **kwargs: Further options of MMEngine's loaders, not used.

    Raises:
        SR4IRError: If there is neither a file nor a model of that name, or the weights cannot be downloaded.
    """
    name = filename.removeprefix(SCHEME)
    state = _of_file(name) if os.path.isfile(name) else _published(name)
    return OrderedDict((_PREFIX + key, value) for key, value in state.items())


def name_for_features(load_state_dict: Callable) -> Callable:
    """Wrap MMEngine's ``load_state_dict``: weights of timm have the names of the network that takes them.

    ``features_only=True`` takes the network apart, so that 'stages.0.' becomes 'stages_0.' and 'stem.conv1.'
    'stem_conv1.', or keeps the whole of it under 'model.' or 'body.'.
    """

    @wraps(load_state_dict)
    def load(module: nn.Module, state_dict: dict[str, Tensor], *args: Any, **kwargs: Any) -> None:
        versions = getattr(state_dict, '_metadata', {})
        if str(versions.get('', {}).get('file')).startswith(SCHEME):
            names = module.state_dict().keys()
            state_dict = OrderedDict((_name_in(names, key), value) for key, value in state_dict.items())
            state_dict._metadata = versions
        load_state_dict(module, state_dict, *args, **kwargs)

    return load


def _name_in(names: Set[str], key: str) -> str:
    name = key.removeprefix(_PREFIX)
    tried = (name, name.replace('.', '_', 1), f'model.{name}', f'body.{name}')
    return next((_PREFIX + name for name in tried if _PREFIX + name in names), key)


def _of_file(path: str) -> dict[str, Tensor]:
    from timm.models import load_state_dict  # takes seconds

    return load_state_dict(path, device='cpu', weights_only=True)


def _published(name: str) -> dict[str, Tensor]:
    import timm

    if not timm.is_model(name.partition('.')[0]):
        raise SR4IRError(f"'{name}' is neither a file nor a model of timm: correct {SCHEME}{name}.")
    try:
        return timm.create_model(name, pretrained=True).state_dict()
    except Exception as error:  # of many kinds: those of a hub, of addresses, of sockets
        raise SR4IRError(
            f"timm cannot load the weights of '{name}': {type(error).__name__}: {error}. Download the file on another "
            f'machine, and name it: {SCHEME}FILE, such as --cfg-options model.task.backbone.init_cfg.checkpoint='
            f'{SCHEME}FILE'
        ) from error
