"""``torch.channels_last``, and networks whose code does not take activations in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import SR4IRError
from ..utils.nested import all_dicts

#: parts of the zoos' networks that merge channels of a map with its places by ``view``, and where
_VIEWS = {
    'AlexNet': 'forward',
    'CenterNetHead': 'get_topk_from_heatmap',
    'CentripetalHead': 'get_topk_from_heatmap',
    'CornerHead': 'get_topk_from_heatmap',
    'DMHead': 'DCM.forward',
    'GridHead': 'predict_by_feat',
    'VGG': 'forward',
}


def takes_channels_last(task: Any) -> bool:
    """Return whether the code of a task network is known to take activations in ``torch.channels_last``.

    Args:
        task (dict): Config of the network.
    """
    names = (str(getattr(kind, '__name__', kind)) for kind in (node.get('type') for node in all_dicts([task])))
    return not any(name.rpartition('.')[2] in _VIEWS for name in names)


@contextmanager
def explain_views(channels_last: bool) -> Iterator[None]:
    """Say how to run a network that flattens its activations with ``view``.

    Args:
        channels_last (bool): Whether the model is in this format.

    Raises:
        SR4IRError: If the code inside raises PyTorch's error about a view.
    """
    try:
        yield
    except RuntimeError as error:
        if not channels_last or 'view size is not compatible' not in str(error):
            raise
        raise SR4IRError(
            'A network does not take activations in torch.channels_last: its code calls view() on them. Set '
            'model.channels_last=False (--cfg-options model.channels_last=False), and continue with --resume.'
        ) from error
