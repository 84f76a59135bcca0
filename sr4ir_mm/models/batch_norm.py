"""BatchNorm and batches of one image."""

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import SR4IRError


@contextmanager
def explain_single_values() -> Iterator[None]:
    """Say how to avoid PyTorch's error about a BatchNorm in training with one value per channel.

    Raises:
        SR4IRError: If the code inside raises that error.
    """
    try:
        yield
    except ValueError as error:
        if 'Expected more than 1' not in str(error):
            raise
        raise SR4IRError(
            'A batch has only one image, and a BatchNorm of the task network has only one value per channel of it, too '
            'few for a variance. Set train_dataloader.batch_size to 2 or more, and train_dataloader.drop_last=True, '
            'since the last batch of an epoch may be smaller.'
        ) from error
