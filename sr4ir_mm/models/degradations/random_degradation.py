"""Degradations as they occur in practice: several steps in random order and strength, drawn for each image."""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

import kornia.augmentation as K
import torch
import torch.nn.functional as F
from kornia.augmentation import IntensityAugmentationBase2D
from torch import Tensor, nn

from ...errors import SR4IRError
from ...registry import MODELS
from ...utils import check_limits, check_number
from .base import Degradation


class RandomNoise(IntensityAugmentationBase2D):
    """Camera noise: normally distributed, with variance ``std ** 2 + shot * brightness``.

    Args:
        std (tuple[float, float]): Range of the sensor noise, in units of the image's range [0, 1].
        shot (tuple[float, float]): Range of the shot noise, as the variance in a white pixel.
        gray (float): Probability that the three channels have the same noise.
        p (float): Probability of noise.
    """

    def __init__(
        self,
        std: Sequence[float],
        shot: Sequence[float] = (0.0, 0.0),
        gray: float = 0.0,
        p: float = 1.0,
    ) -> None:
        check_limits('RandomNoise', low=0, std=std, shot=shot)
        check_number('RandomNoise', low=0, high=1, gray=gray, p=p)
        super().__init__(p=p)
        self.std, self.shot, self.gray = tuple(std), tuple(shot), gray

    def apply_transform(self, input: Tensor, params: dict, flags: dict, transform: Tensor | None = None) -> Tensor:
        """Add noise to one image, 1 x 3 x H x W in [0, 1]; may leave the range."""
        variance = uniform(self.std) ** 2 + uniform(self.shot) * input
        channels = 1 if uniform((0, 1)) < self.gray else 3
        # drawn on the CPU as kornia draws: an image gets the same noise on every device
        noise = torch.randn(1, channels, *input.shape[-2:]).to(input)
        return input + variance.clamp(min=0).sqrt() * noise


class RandomResize(nn.Module):
    """Resizing by a random factor, with a random filter.

    Args:
        factor (tuple[float, float]): Range of the factor by which both sides are multiplied.
    """

    def __init__(self, factor: Sequence[float]) -> None:
        super().__init__()
        check_limits('RandomResize', low=0, factor=factor)
        self.factor = tuple(factor)

    def forward(self, image: Tensor) -> Tensor:
        """1 x 3 x H x W in [0, 1] to other sides, at least 1 px; may leave the range."""
        factor = uniform(self.factor)
        return resize(image, [max(1, round(side * factor)) for side in image.shape[-2:]])


class Downsample(nn.Module):
    """Division of the sides by ``scale``, with a random filter: it places the down-sampling among the steps."""

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, image: Tensor) -> Tensor:
        """1 x 3 x H x W in [0, 1] to H/scale x W/scale, rounded up; may leave the range."""
        return resize(image, [-(-side // self.scale) for side in image.shape[-2:]])


#: the steps: all of kornia's that do not change the geometry, so that LR and HR show the same place
STEPS = {
    name: kind
    for name, kind in vars(K).items()
    if isinstance(kind, type) and issubclass(kind, IntensityAugmentationBase2D) and name.startswith(('Random', 'Color'))
} | dict(RandomNoise=RandomNoise, RandomResize=RandomResize, Downsample=Downsample)


@MODELS.register_module()
class RandomDegradation(Degradation):
    """Steps in random order and strength, drawn for each image, then 8-bit rounding.

    In training the draws follow PyTorch's global generators. In eval mode they follow from the content of the image,
    so that an image has one LR image in every test, whatever the batch and the model.

    Args:
        scale (int): Down-sampling factor, at least 1. 1 keeps the size (restoration).
        steps (list): Each is a dict with the ``type`` of a step and its arguments, or a list of such dicts, a group
            that is taken in random order. Types are the intensity augmentations of ``kornia.augmentation`` (strengths
            are ranges, ``p`` is the probability), :class:`RandomNoise`, :class:`RandomResize` and :class:`Downsample`
            (no arguments). The result of the last step is resized to the size of the LR image.

    Raises:
        SR4IRError: If the type of a step is unknown, or a step does not work with its arguments.

    Example:
        >>> blur = dict(type='RandomGaussianBlur', kernel_size=7, sigma=(0.2, 2.0))
        >>> RandomDegradation(4, [blur, dict(type='Downsample'), dict(type='RandomJPEG', jpeg_quality=(50, 95))])
    """

    def __init__(self, scale: int, steps: Sequence[dict | Sequence[dict]]) -> None:
        super().__init__(scale)
        groups = [[step] if isinstance(step, dict) else step for step in steps]
        self.groups = nn.ModuleList(nn.ModuleList(self._build(step) for step in group) for group in groups)

    def degrade(self, hr: Tensor) -> Tensor:
        """Make N x 3 x H/scale x W/scale of N x 3 x H x W."""
        images = []
        for image in hr.split(1):  # each by itself: they differ in order and size
            with nullcontext() if self.training else seeded_by(image):
                images.append(self._degrade(image))
        return torch.cat(images)

    def _degrade(self, image: Tensor) -> Tensor:
        size = [side // self.scale for side in image.shape[-2:]]
        for step in self._draw_order():
            image = step(image).clamp(0, 1)
        return resize(image, size)

    def _draw_order(self) -> Iterator[nn.Module]:
        for group in self.groups:
            yield from (group[i] for i in torch.randperm(len(group)))

    def _build(self, step: dict) -> nn.Module:
        kwargs = dict(step)
        kind = kwargs.pop('type', None)
        if kind not in STEPS:
            raise SR4IRError(f"RandomDegradation: unknown step '{kind}'; choose from {', '.join(sorted(STEPS))}.")
        if kind == 'Downsample':
            kwargs['scale'] = self.scale
        elif 'p' in kwargs:  # kornia takes any
            check_number(f'RandomDegradation: {kind}', low=0, high=1, p=kwargs['p'])
        try:
            _try(STEPS[kind](**kwargs | dict(p=1.0) if 'p' in kwargs else kwargs))
            return STEPS[kind](**kwargs)
        except SR4IRError:
            raise
        except Exception as error:  # kornia raises errors of many types, some only when a step runs
            reason = ' '.join(str(error).split())  # some are of several lines
            raise SR4IRError(f'RandomDegradation: {kind} does not work with its arguments: {reason}') from error


def _try(step: nn.Module) -> None:
    """Run a step once, so that its faults show before the training, and leave the random numbers as they were."""
    image = torch.full((1, 3, 64, 64), 0.5)
    with seeded_by(image):
        step(image)


def uniform(limits: Sequence[float]) -> float:
    """Draw a number between two limits from PyTorch's global CPU generator."""
    low, high = limits
    return low + (high - low) * torch.rand(()).item()


def resize(image: Tensor, size: Sequence[int]) -> Tensor:
    """Resize N x 3 x H x W with one of the filters area, bilinear and bicubic; the same size stays as it is."""
    if list(image.shape[-2:]) == list(size):
        return image
    mode = ('area', 'bilinear', 'bicubic')[torch.randint(3, ())]
    return F.interpolate(image, size, mode=mode, antialias=mode != 'area')


@contextmanager
def seeded_by(image: Tensor) -> Iterator[None]:
    """Let random numbers follow from an image in [0, 1]; after the context they continue as without it."""
    levels = (image * 255).round().byte().contiguous().cpu()
    with torch.random.fork_rng([image.device] if image.is_cuda else []):
        torch.manual_seed(zlib.crc32(levels.numpy()))
        yield
