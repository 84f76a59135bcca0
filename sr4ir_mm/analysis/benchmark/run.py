"""The measurements of one job."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from .inference import inference, write_images
from .jobs import Job
from .loading import loading
from .results import entry
from .training import training_process
from .turns import take_turns
from .variants import INFERENCE, TRAINING, choose


@dataclass(frozen=True)
class Settings:
    """How to measure.

    Args:
        variants (Sequence[str], optional): Names of variants; default: all.
        turns (int): Number of measured turns of each variant: iterations of a training, or passes over all images.
        warmup (int): Number of turns before them.
        threads (int, optional): Number of PyTorch's threads; default: that of PyTorch.
        device (str): Device.
        images (int): Number of LR images that are predicted in a turn.
    """

    variants: Sequence[str] | None = None
    turns: int = 5
    warmup: int = 1
    threads: int | None = None
    device: str = 'cpu'
    images: int = 8

    def take_turns(self, works: dict) -> dict:
        """Measure works, see :func:`take_turns`."""
        return take_turns(works, self.turns, self.warmup, self.threads, self.device)


def measure_training(job: Job, settings: Settings) -> dict:
    """Measure iterations; the result is an :func:`entry`."""
    names = choose(settings.variants, 'training')
    works = {name: (training_process, dict(job=job, variant=TRAINING[name], device=settings.device)) for name in names}
    floors = {name: TRAINING[name].floor for name in names if TRAINING[name].floor}
    return entry('training', job.title, settings.device, settings.take_turns(works), floors=floors)


def measure_inference(job: Job, settings: Settings) -> dict:
    """Measure predictions on LR images in files; the result is an :func:`entry`."""
    names = choose(settings.variants, 'inference')
    floors = {name: INFERENCE[name] for name in names if INFERENCE[name]}
    with TemporaryDirectory() as folder:
        paths = write_images(Path(folder), settings.images, job)
        args = dict(job=job, paths=paths, device=settings.device)
        works = {name: (inference, dict(args, way=name, out_dir=f'{folder}/{name}')) for name in names}
        measured = settings.take_turns(works)
    return entry('inference', replace(job, batch=1).title, settings.device, measured, floors=floors)


def measure_loading(job: Job, settings: Settings) -> dict:
    """Measure the data loader of the training; the result is an :func:`entry`."""
    names = choose(settings.variants, 'loading')
    works = {name: (loading, dict(job=job, has_workers=name == 'workers')) for name in names}
    measured = replace(settings, device='cpu').take_turns(works)
    return entry('loading', job.name, 'cpu', measured)


#: by the names of ``--what``
MEASURES: dict[str, Callable[[Job, Settings], dict]] = dict(
    training=measure_training, inference=measure_inference, loading=measure_loading
)
