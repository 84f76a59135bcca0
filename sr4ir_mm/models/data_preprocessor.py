"""From the task network's own batch to the images of SR4IR."""

from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from mmengine.structures import BaseDataElement
from torch import Tensor, nn

from ..errors import SR4IRError
from ..registry import MODELS
from .batch_checks import check_batch, check_inputs, check_lr, check_normalization, check_range, check_sizes
from .proxy import Proxy


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
        check_normalization(self.task_preprocessor)
        # of pinned memory, a GPU copies while it computes; preprocessors of the zoos do not all take the option
        self.task_preprocessor._non_blocking = True
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
                sample, if the first images are not of 0 to 255, if T's preprocessor cannot stack images of different
                sizes, or if the degradation does not divide the sides by its scale.
        """
        check_inputs(data, self.task_preprocessor, self.degradation.scale)
        for sample, image in zip(data.get('data_samples') or (), data['inputs']):
            _correct_size(sample, image)
        if training not in self.checked_stages:
            check_range(data['inputs'], training)
            self.checked_stages.add(training)
        check_sizes(data['inputs'], self.task_preprocessor, training)
        batch = self.task_preprocessor(data, training)
        check_batch(batch['inputs'], self.task_preprocessor)
        hr = self.denormalize(batch['inputs'])
        batch['inputs'] = dict(hr_inputs=batch['inputs'], hr=hr, lr=self.degradation(hr))
        check_lr(batch['inputs'], self.degradation)
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


def _build(module: dict | nn.Module) -> nn.Module:
    return MODELS.build(module) if isinstance(module, dict) else module


def _correct_size(sample: BaseDataElement, image: Tensor) -> None:
    """Correct ``img_shape``, which transforms of other libraries, such as torchvision/Resize, leave as it was."""
    size, known, padded = tuple(image.shape[-2:]), sample.get('img_shape'), sample.get('pad_shape', ())
    if known is not None and tuple(known[:2]) != size and tuple(padded[:2]) != size:
        sample.set_metainfo(dict(img_shape=size))


def _channel_order(preprocessor: nn.Module) -> str:
    # mmdet and mmengine: _channel_conversion; mmseg: channel_conversion; mmpretrain: to_rgb.
    names = ('_channel_conversion', 'channel_conversion', 'to_rgb')
    return 'rgb' if any(getattr(preprocessor, name, False) for name in names) else 'bgr'
