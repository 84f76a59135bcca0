"""From T's own batch to the images that S and T see."""

from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor, nn

from ..errors import SR4IRError
from ..registry import MODELS

_ZOOS = ('mmdet', 'mmpretrain', 'mmseg')  # each has a class of data samples of its own


@MODELS.register_module()
class SRDataPreprocessor(BaseDataPreprocessor):
    """Let T's preprocessor make the batch, then take the HR image back out of it and degrade it.

    Collation, padding, channel order and batch augmentation stay what T's authors meant; only the normalisation is
    inverted. Works with the preprocessors of mmseg, mmdet and mmpretrain, with or without normalisation.

    Args:
        task (dict or nn.Module): T's data preprocessor.
        degradation (dict or nn.Module): ``hr -> lr``, with an attribute ``scale``.
        channel_order (str, optional): 'rgb' or 'bgr', the order in which T sees its channels. By default 'rgb' when
            T's preprocessor converts to RGB, else 'bgr', which is how the zoos load images.
    """

    def __init__(
        self,
        task: dict | nn.Module,
        degradation: dict | nn.Module,
        channel_order: str | None = None,
    ) -> None:
        super().__init__()
        self.task = MODELS.build(task) if isinstance(task, dict) else task
        self.degradation = MODELS.build(degradation) if isinstance(degradation, dict) else degradation
        self.flip_channels = (channel_order or _channel_order(self.task)) == 'bgr'

    def forward(self, data: dict, training: bool = False) -> dict[str, Any]:
        """Prepare one batch.

        Args:
            data (dict): A batch of the data loader: ``inputs`` and ``data_samples``, as T's preprocessor takes them.
            training (bool): Whether T's training-time padding and augmentation apply.

        Returns:
            dict: ``data_samples`` as T's preprocessor returns them, and ``inputs``, a dict of N x 3 x H x W float
            tensors: ``task`` (as T's preprocessor made it), ``hr`` ([0, 1], RGB), ``lr`` ([0, 1], RGB, 1/scale).

        Raises:
            SR4IRError: If an image is smaller than the scale, or is not a 3-channel one, if the data samples are
                those of another library than T's, or if T takes more than one image for a sample.
        """
        self._check_library(data.get('data_samples'))
        if not all(isinstance(image, Tensor) and image.ndim == 3 for image in data['inputs']):
            raise SR4IRError(
                f'{type(self.task).__name__} of T takes several images for a sample (views, branches, frames): SR4IR '
                'works with nets of one image. Choose another T.'
            )
        for i, image in enumerate(data['inputs']):
            self._check(image, i, data.get('data_samples'))
        batch = self.task(data, training)
        hr = self.denormalise(batch['inputs'])
        batch['inputs'] = dict(task=batch['inputs'], hr=hr, lr=self.degradation(hr))
        return batch

    @property
    def batch_augments(self) -> Any:
        """T's; mmpretrain's SwitchRecipeHook sets them."""
        return self.task.batch_augments

    @batch_augments.setter
    def batch_augments(self, value: Any) -> None:
        self.task.batch_augments = value

    def normalise(self, image: Tensor) -> Tensor:
        """[0, 1] RGB to what T sees, with gradient; same shape."""
        image = (image.flip(-3) if self.flip_channels else image) * 255
        mean = getattr(self.task, 'mean', None)
        return image if mean is None else (image - mean) / self.task.std

    @torch.no_grad()
    def denormalise(self, inputs: Tensor) -> Tensor:
        """What T sees to [0, 1] RGB; same shape. Pixels that came from 8 bits are restored to the last bit."""
        mean = getattr(self.task, 'mean', None)
        image = inputs if mean is None else inputs * self.task.std + mean
        level = image.round()
        # (x - mean) / std and back leaves an error of 1e-5 grey levels, which decides ties when LR is rounded.
        image = torch.where((image - level).abs() < 1e-3, level, image) / 255
        return image.flip(-3) if self.flip_channels else image

    def _check_library(self, data_samples: list | None) -> None:
        if not data_samples:
            return
        net, data = _zoo(self.task), _zoo(data_samples[0])
        if net != data and net and data:
            kind = type(data_samples[0]).__name__
            raise SR4IRError(f'T is a net of {net}, but the data are for {data} ({kind}): use data of the task of T.')

    def _check(self, image: Tensor, index: int, data_samples: list | None) -> None:
        channels, height, width = image.shape
        scale = self.degradation.scale
        if channels == 3 and min(height, width) >= scale:
            return
        path = data_samples[index].metainfo.get('img_path') if data_samples else None
        name = f"image '{path}'" if path else f'image {index} of the batch'
        if channels != 3:
            raise SR4IRError(
                f'{name} has {channels} channel(s), but S works on 3: load it with '
                "color_type='color' in LoadImageFromFile."
            )
        raise SR4IRError(
            f'{name} is {width} x {height} px, smaller than the scale {scale}: no low-resolution '
            'image can be made of it. Remove or enlarge it, or use a smaller scale.'
        )


def _zoo(part: Any) -> str | None:
    """The zoo that a class or one of its bases is from."""
    packages = (base.__module__.partition('.')[0] for base in type(part).__mro__)
    return next((package for package in packages if package in _ZOOS), None)


def _channel_order(task: nn.Module) -> str:
    # mmdet and mmengine: _channel_conversion; mmseg: channel_conversion; mmpretrain: to_rgb.
    converted = any(getattr(task, name, False) for name in ('_channel_conversion', 'channel_conversion', 'to_rgb'))
    return 'rgb' if converted else 'bgr'
