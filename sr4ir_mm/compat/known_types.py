"""Types that the config in a checkpoint may name.

MMEngine calls whatever a dotted name leads to, ``os.system`` too. The config of a file is code anyway, but a checkpoint
must be data.
"""

from collections.abc import Iterator
from typing import Any

import mmengine.registry
from mmengine.registry import Registry
from mmengine.utils import get_object_from_string
from torch import nn
from torch.optim import Optimizer

from ..errors import SR4IRError
from ..utils.nested import all_dicts

#: entries with which a registered class runs code that it reads or downloads
_RUN_CODE = dict(trust_remote_code='True', decode_backend='pickle', type='OpenImagesChallengeDataset')
_REMEDY = 'If you trust it, name the config file of the training, and then this checkpoint.'
_PACKAGES = ('mmengine', 'mmcv', 'mmseg', 'mmdet', 'mmpretrain', 'mmagic', 'sr4ir_mm')


def check_types(entries: dict, source: str) -> None:
    """Check that every ``type`` in a config is a registered name, or the full name of what is registered.

    Args:
        entries (dict): Config.
        source (str): File that it is from, for the message.

    Raises:
        SR4IRError: If a type leads to something else, or an entry lets its class run code.
    """
    for node in all_dicts(entries):
        name = node.get('type')
        if isinstance(name, str) and '.' in name and not _is_known(name):
            raise SR4IRError(
                f"The config in '{source}' has type='{name}', which is not registered with OpenMMLab's packages and "
                f'could run code. {_REMEDY}'
            )
        for key, value in _RUN_CODE.items():
            found = node.get(key)
            if (str(bool(found)) if value == 'True' else str(found).rpartition('.')[2]) == value:
                raise SR4IRError(f"The config in '{source}' has {key}={found!r}, which could run code. {_REMEDY}")


def _is_known(name: str) -> bool:
    package, _, path = name.partition('.')
    if package not in _PACKAGES and not name.startswith(('torch.nn.', 'torch.optim.')):
        return False
    found = get_object_from_string(name)  # as MMEngine does
    if package == 'torch':  # networks and optimizers of a config in MMEngine's new style
        return isinstance(found, type) and issubclass(found, (nn.Module, Optimizer))
    # a name that is no attribute, such as mmseg.EncoderDecoder, is looked up in the registry of the package only
    return any(found is other for other in _registered()) or (found is None and '.' not in path)


def _registered() -> Iterator[Any]:
    """Yield all classes and functions in the registries of the packages that have been imported."""
    waiting = [node for node in vars(mmengine.registry).values() if isinstance(node, Registry)]
    while waiting:
        node = waiting.pop()
        waiting += node._children.values()
        yield from node._module_dict.values()
