"""Parameters that get no gradient, in a training of several processes."""

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import SR4IRError


@contextmanager
def explain_unused() -> Iterator[None]:
    """Say how to train a network some parameters of which get no gradient.

    Raises:
        SR4IRError: If the code inside raises PyTorch's error about them, which it does in the second iteration.
    """
    try:
        yield
    except RuntimeError as error:
        if 'Expected to have finished reduction in the prior iteration' not in str(error):
            raise
        raise SR4IRError(
            'Some parameters of a network get no gradient, and the processes of a distributed training wait for each '
            "other's. Set model_wrapper_cfg.find_unused_parameters=True (--cfg-options "
            'model_wrapper_cfg.find_unused_parameters=True), and start again.'
        ) from error
