"""What a benchmark runs: the networks of a config on synthetic images of one size."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ...config.loading import load_config
from ...config.mixing import load_mix
from ...config.nodes import find_all
from ...config.schemes import is_sr4ir, load_run
from ...errors import SR4IRError
from ..synthetic_batch import Size, synthetic_batch

#: batch and size, in HR pixels, of the paper's jobs; all variants with SwinIR fit together into 24 GB
PAPER: dict[str, tuple[int, Size]] = {
    'tv-resnet18_edsr_x4_cars': (8, (224, 224)),
    'tv-deeplabv3_edsr_x4_voc': (2, (480, 480)),
    'tv-faster-rcnn_edsr_x4_voc': (2, (320, 480)),
    'tv-resnet18_swinir_x4_cars': (2, (160, 160)),
    'tv-deeplabv3_swinir_x4_voc': (2, (160, 160)),
    'tv-faster-rcnn_swinir_x4_voc': (2, (128, 192)),
}
_ZOOS = ('mmseg', 'mmdet', 'mmpretrain')


@dataclass(frozen=True)
class Job:
    """The networks of a config, and the images that they receive.

    Args:
        config (str): Config of SR4IR, or of a zoo if ``sr`` is given.
        batch (int): Number of images of a batch.
        size (tuple[int, int]): Height and width of the HR images.
        sr (str, optional): Super-resolution network for a config of a zoo.
        scale (int): Up-sampling factor of ``sr``.
        options (Mapping): Entries of the config to override, by dotted name.

    Example:
        >>> Job('tv-resnet18_edsr_x4_cars', 8, (224, 224)).load().default_scope
        'mmpretrain'
    """

    config: str
    batch: int = 2
    size: Size = (256, 256)
    sr: str | None = None
    scale: int = 4
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the config without its folder, with the SR network and what is overridden."""
        net = [f'--sr {self.sr} --scale {self.scale}'] if self.sr else []
        return ' '.join([Path(self.config).stem, *net, *(f'{key}={value}' for key, value in self.options.items())])

    @property
    def title(self) -> str:
        """Name of the job, for a reader."""
        return f'{self.name}, batch {self.batch}, {self.size[1]} x {self.size[0]} px'

    def load(self) -> Config:
        """Load the config, for images of the job's size and without files of weights.

        Raises:
            SR4IRError: If the config has no super-resolution network.
        """
        if self.sr:
            cfg = load_mix(self.config, self.sr, self.scale, 'SR4IR', False, dict(self.options))
        elif is_sr4ir(load_config(self.config, zoo=True)):
            cfg = load_run(self.config, None, dict(self.options))
        else:
            raise SR4IRError(f"'{self.config}' has no super-resolution network: add --sr edsr --scale 4.")
        if (preprocessor := (cfg.model.get('task') or {}).get('data_preprocessor')) and preprocessor.get('size'):
            preprocessor.size = self.size  # mmseg pads to it
        return cfg

    def make_batch(self, cfg: Config, seed: int = 0) -> dict:
        """Make a batch as the data loader of the config gives it.

        Args:
            cfg (Config): The loaded config.
            seed (int): Seed of images and labels.
        """
        scope = cfg.get('default_scope')
        classes = min(find_all(cfg.model.get('task') or {}, 'num_classes'), default=2)
        zoo = scope if scope in _ZOOS else None
        return synthetic_batch(*[self.size] * self.batch, zoo=zoo, seed=seed, num_classes=classes)


def find_jobs(configs: Iterable[str], batch: int | None = None, size: Size | None = None, **kwargs: Any) -> list[Job]:
    """Return the jobs that a command line names.

    Args:
        configs (Iterable[str]): Configs, or 'paper' for all of :data:`PAPER`.
        batch (int, optional): Number of images of a batch; default: that of the paper's job, or 2.
        size (tuple[int, int], optional): Height and width of HR images; default: those of the paper's job, or 256 px.
        **kwargs: Other arguments of :class:`Job`.
    """
    names = [name for config in configs for name in (PAPER if config == 'paper' else [config])]
    jobs = []
    for name in names:
        known = PAPER.get(name.rpartition('/')[2].removesuffix('.py'), (2, (256, 256)))
        jobs.append(Job(name, batch or known[0], tuple(size or known[1]), **kwargs))
    return jobs
