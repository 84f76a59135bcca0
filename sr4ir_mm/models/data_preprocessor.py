"""From the task network's own batch to the images of SR4IR."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from mmengine.structures import BaseDataElement
from torch import Tensor, nn

from ..errors import SR4IRError
from ..registry import MODELS
from ..utils import check_number, check_positive
from .proxy import Proxy
from .sample_images import check_image_fields

_ZOOS = ('mmdet', 'mmpretrain', 'mmseg')  # each has a class of data samples of its own


@MODELS.register_module()
class SRDataPreprocessor(Proxy, BaseDataPreprocessor):
    """T's own data preprocessor makes the batch; then the HR image is recovered from it and degraded.

    Collation, padding, channel order and batch augmentation stay what T's authors chose; only the normalization is
    inverted. Works with the preprocessors of mmseg, mmdet and mmpretrain, with or without normalization.

    Args:
        task_preprocessor (dict or nn.Module): Data preprocessor of T.
        degradation (dict or nn.Module): Module ``hr -> lr`` with an attribute ``scale``.
        channel_order (str, optional): 'rgb' or 'bgr', the channel order of T's input. By default 'rgb' if T's
            preprocessor converts to RGB, else 'bgr', which is how the zoos load images.

    Raises:
        SR4IRError: If the channel order is unknown, the degradation has no ``scale``, or T's preprocessor divides by a
            ``std`` that is not positive.

    Example:
        >>> preprocessor = SRDataPreprocessor(zoo_config.model.data_preprocessor, BicubicDegradation(4))
        >>> preprocessor(batch)['inputs']['lr'].shape
    """

    def __init__(
        self,
        task_preprocessor: dict | nn.Module,
        degradation: dict | nn.Module,
        channel_order: str | None = None,
    ) -> None:
        super().__init__()
        if channel_order not in (None, 'rgb', 'bgr'):
            raise SR4IRError(f"SRDataPreprocessor: channel_order='{channel_order}' must be 'rgb' or 'bgr'.")
        self.task_preprocessor = _build(task_preprocessor)
        self.degradation = _build(degradation)
        if not hasattr(self.degradation, 'scale'):
            raise SR4IRError(f"{type(self.degradation).__name__} has no attribute 'scale', its down-sampling factor.")
        _check_normalization(self.task_preprocessor)
        #: stages, training or not, whose first batch was checked
        self.checked_stages: set[bool] = set()
        self.flip_channels = (channel_order or _channel_order(self.task_preprocessor)) == 'bgr'
        self._part = 'task_preprocessor'  # mmpretrain's SwitchRecipeHook sets its ``batch_augments``

    def forward(self, data: dict, training: bool = False) -> dict[str, Any]:
        """Prepare one batch.

        Args:
            data (dict): Batch of the data loader: ``inputs`` and ``data_samples``, as T's preprocessor takes them.
            training (bool): Whether T's training-time padding and augmentation apply.

        Returns:
            dict: ``data_samples`` as T's preprocessor returns them, and ``inputs``, a dict of N x 3 x H x W float
            tensors: ``hr_inputs`` (normalized, exactly as T's preprocessor made it), ``hr`` ([0, 1], RGB) and ``lr``
            ([0, 1], RGB, 1/scale).

        Raises:
            SR4IRError: If an image is smaller than the scale or does not have 3 channels, if the data samples are
                those of another library than T's or use the names of our images, if T takes more than one image for a
                sample, if the first images are not of 0 to 255, or if the degradation does not divide the sides by its
                scale.
        """
        self._check_library(data.get('data_samples'))
        if not all(isinstance(image, Tensor) and image.ndim == 3 for image in data['inputs']):
            raise SR4IRError(
                f'{type(self.task_preprocessor).__name__} of the task network takes several images for a sample '
                '(views, branches, frames): SR4IR works with networks of one image. Choose another task network.'
            )
        check_image_fields(data.get('data_samples') or ())
        for i, image in enumerate(data['inputs']):
            self._check(image, i, data.get('data_samples'))
        for sample, image in zip(data.get('data_samples') or (), data['inputs']):
            _correct_size(sample, image)
        if training not in self.checked_stages:
            _check_range(data['inputs'], training)
            self.checked_stages.add(training)
        batch = self.task_preprocessor(data, training)
        hr = self.denormalize(batch['inputs'])
        batch['inputs'] = dict(hr_inputs=batch['inputs'], hr=hr, lr=self._degrade(hr))
        return batch

    def normalize(self, image: Tensor) -> Tensor:
        """Turn [0, 1] RGB into T's input, with gradient; N x 3 x H x W, same shape."""
        image = (image.flip(-3) if self.flip_channels else image) * 255
        mean = getattr(self.task_preprocessor, 'mean', None)
        return image if mean is None else (image - mean) / self.task_preprocessor.std

    @torch.no_grad()
    def denormalize(self, inputs: Tensor) -> Tensor:
        """Turn T's input into [0, 1] RGB, same shape; pixels that came from 8 bits are restored to the last bit."""
        mean = getattr(self.task_preprocessor, 'mean', None)
        image = inputs if mean is None else inputs * self.task_preprocessor.std + mean
        level = image.round()
        # (x - mean) / std and back leaves an error of 1e-5 gray levels, which decides ties when LR is rounded.
        image = torch.where((image - level).abs() < 1e-3, level, image) / 255
        return image.flip(-3) if self.flip_channels else image

    def _degrade(self, hr: Tensor) -> Tensor:
        lr, scale = self.degradation(hr), self.degradation.scale
        sizes = lr.shape, hr.shape, (*hr.shape[:2], *(-(-side // scale) for side in hr.shape[-2:]))
        if sizes[0] != sizes[2]:
            found, made_of, expected = (' x '.join(map(str, size)) for size in sizes)
            raise SR4IRError(
                f'{type(self.degradation).__name__} made {found} of {made_of}, but its scale={scale} means {expected} '
                '(sides are rounded up): correct the one or the other.'
            )
        return lr

    def _check_library(self, data_samples: list | None) -> None:
        if not data_samples:
            return
        net, data = _zoo(self.task_preprocessor), _zoo(data_samples[0])
        if net != data and net and data:
            kind = type(data_samples[0]).__name__
            raise SR4IRError(
                f'The task network is from {net}, but the data are for {data} ({kind}): use data of the same task.'
            )

    def _check(self, image: Tensor, index: int, data_samples: list | None) -> None:
        channels, height, width = image.shape
        scale = self.degradation.scale
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


def _build(module: dict | nn.Module) -> nn.Module:
    return MODELS.build(module) if isinstance(module, dict) else module


def _correct_size(sample: BaseDataElement, image: Tensor) -> None:
    """Correct ``img_shape``, which transforms of other libraries, such as torchvision/Resize, leave as it was."""
    size, known, padded = tuple(image.shape[-2:]), sample.get('img_shape'), sample.get('pad_shape', ())
    if known is not None and tuple(known[:2]) != size and tuple(padded[:2]) != size:
        sample.set_metainfo(dict(img_shape=size))


def _check_range(images: Sequence[Tensor], training: bool) -> None:
    """Check that images are not normalized already. Augmentations leave 0 to 255 a little, and need not round."""
    if not all(image.is_floating_point() for image in images):
        return
    low, high = min(image.min().item() for image in images), max(image.max().item() for image in images)
    if low < -64 or (high < 16 and any((image != image.round()).any() for image in images)):
        stage = 'training' if training else 'test'
        raise SR4IRError(
            f'The {stage} images have values from {low:.3g} to {high:.3g}, but SR4IR needs '
            '0 to 255: take the step that changes their range (Normalize, ToTensor, Albu) out of the pipeline, and set '
            "mean and std in the task network's data_preprocessor."
        )


def _check_normalization(preprocessor: nn.Module) -> None:
    if getattr(preprocessor, 'mean', None) is None:
        return
    name = f'{type(preprocessor).__name__} of the task network'
    for mean, std in zip(preprocessor.mean.flatten().tolist(), preprocessor.std.flatten().tolist()):
        check_number(name, mean=mean)
        check_positive(name, std=std)


def _zoo(part: Any) -> str | None:
    """Return the zoo that a class or one of its bases is from."""
    packages = (base.__module__.partition('.')[0] for base in type(part).__mro__)
    return next((package for package in packages if package in _ZOOS), None)


def _channel_order(preprocessor: nn.Module) -> str:
    # mmdet and mmengine: _channel_conversion; mmseg: channel_conversion; mmpretrain: to_rgb.
    names = ('_channel_conversion', 'channel_conversion', 'to_rgb')
    return 'rgb' if any(getattr(preprocessor, name, False) for name in names) else 'bgr'
