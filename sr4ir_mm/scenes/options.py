"""Options of scenes: ``--window`` and what goes with it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mmengine.config import Config
from torch import nn

from ..config.nodes import all_dicts, find_all, type_name
from ..config.predict import PredictOptions
from ..errors import SR4IRError
from ..geo.bands import parse_bands
from ..geo.stretch import parse_stretch
from ..inference.lr_predictor import LRPredictor
from ..inference.slices import no_parts_reason
from ..models import SR4IR
from ..utils import unwrap
from .axis import Axis, smallest_window

#: pixels of an SR image above which it is predicted in windows, unless the user decides
AUTO_PIXELS = 2**25
#: side of a window in SR pixels, if the config has no size of training images
_SIDE = 1024


@dataclass(frozen=True)
class SceneOptions:
    """How scenes are predicted.

    Args:
        window (int, optional): Side of a window in LR pixels; 0 for whole images only. By default images whose SR image
            has more than :data:`AUTO_PIXELS` have windows of :func:`default_window`.
        overlap (int, optional): LR pixels that neighbors have in common; a quarter of a window by default.
        bands (Sequence[int], optional): Bands of rasters that are red, green and blue, from 1.
        stretch (str, optional): Values of rasters that become 0 and 255: 'LOW,HIGH' or percentiles, '2%,98%'.
        save_sr (bool): Whether the SR image of a scene is written.
        given (tuple[str]): Names of those that are given, and not an entry of a config.
    """

    window: int | None = None
    overlap: int | None = None
    bands: Sequence[int] | None = None
    stretch: str | None = None
    save_sr: bool = False
    given: tuple[str, ...] = ()


def choose_scene_options(entry: PredictOptions, slices: int | None, **given: Any) -> SceneOptions:
    """Return the options that are given, and windows of a config's entry unless others, none or slices are given.

    Args:
        entry (PredictOptions): Entry ``predict`` of a config.
        slices (int, optional): Size of slices that is given.
        **given: Arguments of :class:`SceneOptions`.
    """
    names = tuple(name for name, value in given.items() if value not in (None, False))
    if given['window'] is None and slices is None:
        given['window'] = entry.window
    if given['overlap'] is None and given['window']:
        given['overlap'] = entry.overlap
    return SceneOptions(**given, given=names)


def check_scene_options(options: SceneOptions, model: SR4IR, pipeline: LRPredictor, tta: bool) -> str:
    """Check options, and return why the task network of a model predicts no scenes; '' if it does.

    Args:
        options (SceneOptions): Options.
        model (SR4IR): Model, not wrapped.
        pipeline (LRPredictor): The way from an LR image to a prediction.
        tta (bool): Whether the task network predicts on several views.

    Raises:
        SR4IRError: If windows are asked for, and the network cannot use them, or an option has no effect.
    """
    parse_bands(options.bands), parse_stretch(options.stretch)  # mistakes are found before the first image
    if options.window == 0 and (name := next((name for name in options.given if name in ('overlap', 'save_sr')), '')):
        raise SR4IRError(f'--{name.replace("_", "-")} is for windows, and --window 0 asks for none: leave it out.')
    if options.window and pipeline.slices:
        raise SR4IRError('--window cuts the scene before both networks, --slice before the second: use one of them.')
    if options.window:
        overlap = overlap_of(options.window, options.overlap, pipeline.scale)
        Axis(options.window, options.window, overlap, pipeline.scale)
    reason = no_scene_reason(model, tta)
    if reason and (options.window or options.overlap or options.save_sr):
        raise SR4IRError(f'Windows are for objects and maps of classes, but {reason}.')
    return reason


def no_scene_reason(model: SR4IR, tta: bool) -> str:
    """Return why windows cannot be merged, with what to do instead; '' if they can."""
    task = unwrap(model.task)
    if not model.scheme.uses_task_net:
        return ''
    if makes_maps(task):
        return 'with --tta this task network predicts no scores to blend: leave --tta out' if tta else ''
    if hasattr(task, 'align_corners'):
        return f'{type(task).__name__} predicts no scores of classes: predict whole images'
    reason = no_parts_reason(model)
    if 'panoptic' in reason:
        return f'{reason}: use a network for objects or for a map of classes'
    return f'{reason}: cut the scene into images of the size of the training images' if reason else ''


def overlap_of(window: int, overlap: int | None, scale: int) -> int:
    """Return the overlap of windows in LR pixels: the one that is asked for, else a quarter of them."""
    return max(min(window // 4, window - smallest_window(scale)), 0) if overlap is None else overlap


def makes_maps(task: nn.Module | None) -> bool:
    """Return whether a task network, not wrapped, predicts scores of classes for each pixel."""
    is_depth = any(base.__name__ == 'DepthEstimator' for base in type(task).__mro__)  # of mmseg
    return hasattr(task, 'align_corners') and not is_depth


def default_window(cfg: Config, scale: int) -> int:
    """Return the side of a window in LR pixels: what makes an SR image of the size of the training images.

    That is the size of random crops of the training pipeline, else the shorter side to which the test pipeline resizes
    images, so that it leaves the SR image of a window as it is; 1024 SR px if there is none of them.

    Args:
        cfg (Config): Config of the run.
        scale (int): SR pixels for each LR pixel.
    """
    train, test = (list(find_all(cfg.get(name) or {}, 'pipeline')) for name in ('train_dataloader', 'test_dataloader'))
    sides = [*_sides(train, 'RandomCrop', 'crop_size'), *_sides(test, 'Resize', 'scale'), _SIDE]
    step = smallest_window(scale)
    return max(sides[0] // scale // step * step, step)


def _sides(pipeline: Sequence[dict], step: str, key: str) -> Iterator[int]:
    """Yield the shorter sides, in pixels, that steps of one type give an image."""
    for entry in all_dicts(pipeline):
        sizes = entry.get(key) if type_name(entry.get('type')) == step else None
        sizes = [sizes] if isinstance(sizes, int) else sizes or []
        if sizes and all(isinstance(side, int) and side > 1 for side in sizes):
            yield min(sizes)
