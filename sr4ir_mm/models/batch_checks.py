"""Checks of a batch that SR4IR receives and of what it makes of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from ..errors import SR4IRError
from ..utils import check_number, check_positive
from .sample_images import check_image_fields

_ZOOS = ('mmdet', 'mmpretrain', 'mmseg')  # each has a class of data samples of its own


def check_inputs(data: dict, preprocessor: nn.Module, scale: int) -> None:
    """Check the images and the data samples of a batch.

    Args:
        data (dict): Batch of the data loader.
        preprocessor (nn.Module): Data preprocessor of the task network.
        scale (int): Down-sampling factor.

    Raises:
        SR4IRError: If the batch has no images, if one is smaller than the scale or does not have 3 channels, if the
            data samples are those of another library than the network's or use the names of our images, or if it takes
            several images a sample.
    """
    if not isinstance(data, Mapping) or 'inputs' not in data:
        raise SR4IRError(
            "The batches have no 'inputs': the last step of the data set's pipeline must pack them as the task network "
            'takes them, such as PackSegInputs, PackDetInputs or PackInputs.'
        )
    if not all(isinstance(image, Tensor) and image.ndim == 3 for image in data['inputs']):
        raise SR4IRError(
            f'{type(preprocessor).__name__} of the task network takes several images for a sample (views, branches, '
            'frames): SR4IR works with networks of one image. Choose another task network.'
        )
    samples = data.get('data_samples')
    _check_library(preprocessor, samples)
    check_image_fields(samples or ())
    for i, image in enumerate(data['inputs']):
        _check_image(image, i, samples, scale)


def check_batch(images: Any, preprocessor: nn.Module) -> None:
    """Check that a data preprocessor has made one tensor of the images; MMEngine's default does not.

    Raises:
        SR4IRError: If it has not.
    """
    if not isinstance(images, Tensor):
        raise SR4IRError(
            f"{type(preprocessor).__name__} makes no batch of the images: set the task network's data_preprocessor to "
            'that of its library, such as SegDataPreProcessor, DetDataPreprocessor or ClsDataPreprocessor.'
        )


def check_range(images: Sequence[Tensor], training: bool) -> None:
    """Check that images are not normalized already. Augmentations leave 0 to 255 a little, and need not round.

    Args:
        images (Sequence[Tensor]): Images of a batch.
        training (bool): Whether they are those of the training, for the message.

    Raises:
        SR4IRError: If they are of floating-point numbers in another range.
    """
    images = [image for image in images if image.is_floating_point()]  # a step may run at random
    if not images:
        return
    low, high = min(image.min().item() for image in images), max(image.max().item() for image in images)
    if low < -64 or (high < 16 and any((image != image.round()).any() for image in images)):
        stage = 'training' if training else 'test'
        raise SR4IRError(
            f'The {stage} images have values from {low:.3g} to {high:.3g}, but SR4IR needs '
            '0 to 255: take the step that changes their range (Normalize, ToTensor, Albu) out of the pipeline, and set '
            "mean and std in the task network's data_preprocessor."
        )


def check_sizes(images: Sequence[Tensor], preprocessor: nn.Module, training: bool) -> None:
    """Check that mmseg's data preprocessor can stack images: it pads those of a training up to its size, no others.

    Args:
        images (Sequence[Tensor]): Images of a batch.
        preprocessor (nn.Module): Data preprocessor of the task network.
        training (bool): Whether they are those of a training.

    Raises:
        SR4IRError: If they would be of different sizes.
    """
    size = getattr(preprocessor, 'size', None) if training else (0, 0)
    if not type(preprocessor).__module__.startswith('mmseg.') or size is None:  # a subclass may pad
        return
    shapes = {tuple(max(pair) for pair in zip(image.shape[-2:], size)) for image in images}
    if len(shapes) > 1:
        found = ' and '.join(f'{width} x {height}' for height, width in sorted(shapes)[:2])
        remedy = f"add RandomCrop with crop_size={tuple(size)} to the pipeline, or a larger 'size'"
        raise SR4IRError(
            f'A batch has images of {found} px, and {type(preprocessor).__name__} does not pad them to one size: '
            f'{remedy if training else "set batch_size=1 in val_dataloader and test_dataloader"}.'
        )


def check_lr(images: dict[str, Tensor], degradation: nn.Module) -> None:
    """Check that LR images have the sides of HR divided by the scale, rounded up.

    Raises:
        SR4IRError: If they do not, which crops to the size of HR would hide.
    """
    lr, hr, scale = images['lr'].shape, images['hr'].shape, degradation.scale
    sizes = lr, hr, (*hr[:2], *(-(-side // scale) for side in hr[-2:]))
    if lr != sizes[2]:
        found, made_of, expected = (' x '.join(map(str, size)) for size in sizes)
        raise SR4IRError(
            f'{type(degradation).__name__} made {found} of {made_of}, but its scale={scale} means {expected} (sides '
            'are rounded up): correct the one or the other.'
        )


def check_normalization(preprocessor: nn.Module) -> None:
    """Check that a data preprocessor can be inverted.

    Raises:
        SR4IRError: If a mean is not finite, or a standard deviation not positive.
    """
    if getattr(preprocessor, 'mean', None) is None:
        return
    name = f'{type(preprocessor).__name__} of the task network'
    for mean, std in zip(preprocessor.mean.flatten().tolist(), preprocessor.std.flatten().tolist()):
        check_number(name, mean=mean)
        check_positive(name, std=std)


def _check_library(preprocessor: nn.Module, data_samples: list | None) -> None:
    if not data_samples:
        return
    net, data = _zoo(preprocessor), _zoo(data_samples[0])
    if net != data and net and data:
        kind = type(data_samples[0]).__name__
        raise SR4IRError(
            f'The task network is from {net}, but the data are for {data} ({kind}): use data of the same task.'
        )


def _check_image(image: Tensor, index: int, data_samples: list | None, scale: int) -> None:
    channels, height, width = image.shape
    if channels == 3 and min(height, width) >= scale:
        return
    path = data_samples[index].metainfo.get('img_path') if data_samples else None
    name = f"image '{path}'" if path else f'image {index} of the batch'
    if channels != 3:
        raise SR4IRError(
            f'{name} has {channels} channel(s), but the SR network takes 3: load it with '
            "color_type='color' in LoadImageFromFile."
        )
    raise SR4IRError(
        f'{name} is {width} x {height} px, smaller than the scale {scale}, so that its low-resolution image would '
        'be empty. Remove or enlarge it, or use a smaller scale.'
    )


def _zoo(part: Any) -> str | None:
    """Return the zoo that a class or one of its bases is from."""
    packages = (base.__module__.partition('.')[0] for base in type(part).__mro__)
    return next((package for package in packages if package in _ZOOS), None)
