"""Predictions on LR images in files."""

import copy
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...utils import mixed_precision
from ..synthetic_batch import synthetic_image
from .floor_nets import normalization
from .jobs import Job

if TYPE_CHECKING:
    from ...inference import SR4IRInferencer

#: arguments of ``SR4IRInferencer.stream`` by the name of the variant
_STREAMS: dict[str, dict] = {
    'infer-no_files': dict(out_dir=''),
    'infer-no_pictures': dict(no_save_vis=True),
    'infer': {},
    'infer-amp': {},
}


def write_images(folder: Path, count: int, job: Job) -> list[str]:
    """Write synthetic LR images of a job's size as PNG files, and return their paths."""
    scale = job.load().model.scale
    generator = torch.Generator().manual_seed(0)
    paths = [str(folder / f'{index}.png') for index in range(count)]
    for path in paths:
        image = synthetic_image((job.size[0] // scale, job.size[1] // scale), generator)
        cv2.imwrite(path, image.permute(1, 2, 0).numpy())
    return paths


def inference(
    job: Job, paths: Sequence[str], way: str, out_dir: str, device: str = 'cpu', seed: int = 0
) -> Callable[[], int]:
    """Build the networks of a job with random weights, and one way to predict images one by one.

    Args:
        job (Job): Networks.
        paths (Sequence[str]): Files of LR images, all of the same size.
        way (str): One of :data:`INFERENCE`.
        out_dir (str): Folder for the results of the ways that write some.
        device (str): Device, such as 'cuda'.
        seed (int): Seed of the weights.

    Returns:
        Callable: Function without arguments that predicts all images, and returns their number.
    """
    from ...inference import SR4IRInferencer  # takes a second, which those who measure trainings need not wait

    torch.manual_seed(seed)
    amp = way.endswith('-amp')
    inferencer = SR4IRInferencer(job.load(), 'random', device, show_progress=False, amp=amp, window=0)
    if way in _STREAMS:
        options = dict(out_dir=out_dir) | _STREAMS[way]
        return lambda: sum(1 for _ in inferencer.stream(paths, **options))
    bare = Bare(inferencer, paths[0], amp)
    if way == 'task':
        return lambda: sum(len(bare.predict(bare.inputs)) for _ in paths)
    return lambda: sum(len(bare(path)) for path in paths)


class Bare:
    """The loop without which no image is predicted: read, S, T.

    Args:
        inferencer (SR4IRInferencer): Networks.
        path (str): File of an image, which is predicted once to see what the task network's own pipeline makes of it:
            the size of its input, and the data sample.
        amp (bool): Whether to use mixed precision.
    """

    def __init__(self, inferencer: 'SR4IRInferencer', path: str, amp: bool = False) -> None:
        model = inferencer.model
        self.sr, self.task, self.normalize = model.sr, model.task, normalization(model.data_preprocessor)
        self.device = next(model.parameters()).device
        self.precision = partial(mixed_precision, self.device, amp)
        seen: list[tuple] = []

        def keep(module: nn.Module, args: tuple, kwargs: dict[str, Any]) -> None:
            seen.append((args[0].clone(), copy.deepcopy(args[1])))

        with self.task.register_forward_pre_hook(keep, with_kwargs=True):
            inferencer(path)
        self.inputs, self.samples = seen[0]

    def __call__(self, path: str) -> list:
        """Predict one image."""
        pixels = np.ascontiguousarray(cv2.imread(path)[..., ::-1].transpose(2, 0, 1))
        lr = torch.from_numpy(pixels)[None].to(self.device).float() / 255
        with torch.no_grad(), self.precision():
            sr = self.sr(lr)
        sr = sr.float()
        if sr.shape[-2:] != self.inputs.shape[-2:]:  # the pipeline resizes or pads
            sr = F.interpolate(sr, size=self.inputs.shape[-2:], mode='bilinear')
        return self.predict(self.normalize(sr))

    @torch.no_grad()
    def predict(self, inputs: Tensor) -> list:
        """Run the task network on normalized images."""
        with self.precision():
            return self.task(inputs, copy.deepcopy(self.samples), mode='predict')
