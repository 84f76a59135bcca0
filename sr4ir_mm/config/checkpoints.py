"""Checkpoints without a runner."""

from torch import Tensor

from ..errors import SR4IRError
from ..models.loads import State
from .checks import find_checkpoint


def read_checkpoint(path: str) -> State:
    """Read the state dict of a checkpoint of ours, to the CPU.

    Args:
        path (str): File or URL.

    Raises:
        SR4IRError: If the file is missing, damaged, or has no state dict.
    """
    from mmengine.runner import CheckpointLoader  # takes seconds

    loaded = CheckpointLoader.load_checkpoint(find_checkpoint(path), map_location='cpu')
    state = loaded.get('state_dict', loaded) if isinstance(loaded, dict) else None
    return check_state(path, state)


def check_state(path: str, state: object) -> State:
    """Return the state dict that a file holds, without the prefix that a wrapper for distributed training adds.

    Raises:
        SR4IRError: If it is not a state dict.
    """
    if not isinstance(state, dict) or not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise SR4IRError(f"'{path}' has no state dict of a network: name a checkpoint file.")
    if any(not key.startswith('module.') for key in state):
        return state  # the same object, since PyTorch keeps the versions of the modules in an attribute of it
    return {key.removeprefix('module.'): value for key, value in state.items()}
