"""The images that data samples hold after a prediction."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from ..errors import SR4IRError

#: fields of a data sample: LR image, what the task network received, and HR image, each 3 x H x W in [0, 1], RGB
IMAGE_FIELDS = ('lr', 'task_input', 'hr')


def check_image_fields(samples: Sequence) -> None:
    """Check that data samples have no other use for the names of our images.

    Raises:
        SR4IRError: If one has: a task of mmpretrain's multi-task networks is a field of its own.
    """
    for name in IMAGE_FIELDS:
        if any(name in sample and not isinstance(sample.get(name), Tensor) for sample in samples):
            others = ', '.join(f"'{field}'" for field in IMAGE_FIELDS if field != name)
            raise SR4IRError(
                f"The data samples have a field '{name}', such as a task of this name, where SR4IR puts an image: "
                f'choose another name for the task in data, head and metric, and none of {others}.'
            )


def add_images(samples: Sequence, images: Mapping[str, Tensor]) -> None:
    """Give each data sample its images out of batches, N x 3 x H x W."""
    check_image_fields(samples)
    for i, sample in enumerate(samples):
        sample.set_data({name: images[name][i] for name in IMAGE_FIELDS})


def without_images(sample: Mapping[str, Any]) -> dict[str, Any]:
    """Return a data sample, as a metric receives it, without its images: they are many times larger than the rest."""
    return {name: value for name, value in sample.items() if name not in IMAGE_FIELDS}
