"""The channel order in which pipelines leave images; the zoos load BGR."""

from mmengine.config import Config

from .checks import LOADERS
from .nodes import find_all, type_name


def pipelines_of(cfg: Config) -> list[list[dict]]:
    """Return the pipelines of all data loaders of a config, each once."""
    return list({id(p): p for name in LOADERS for p in find_all(cfg.get(name), 'pipeline') if p}.values())


def loads_rgb(cfg: Config) -> bool:
    """Return whether mmpretrain's steps for PIL leave images in RGB."""
    return any(map(_is_rgb, pipelines_of(cfg)))


def _is_rgb(pipeline: list[dict]) -> bool:
    options = dict(NumpyToPIL='to_rgb', PILToNumpy='to_bgr')
    turns = [step.get(options[kind]) for step in pipeline if (kind := type_name(step.get('type'))) in options]
    return sum(map(bool, turns)) % 2 == 1
