"""Options of predictions: ``--tta``, ``--classes``, ``--score-thr``, or the entry ``predict`` of a config."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from mmengine.config import Config

from ..errors import SR4IRError
from ..utils import check_number
from .keys import advice


@dataclass(frozen=True)
class PredictOptions:
    """Options of predictions.

    Args:
        tta (bool): Whether the task network predicts on several views of each image.
        classes (Sequence[str or int], optional): Names or labels of the classes that are kept.
        score_thr (float, optional): Lowest score of objects.
        slice_size (int, optional): Side of slices of LR input, see :class:`~sr4ir_mm.inference.LRPredictor`.
        slice_overlap (float, optional): Share of a side that neighboring slices have in common.
        window (int, optional): Side of windows of large images, see :class:`~sr4ir_mm.inference.SR4IRInferencer`.
        overlap (int, optional): LR pixels that neighboring windows have in common.

    Example:
        >>> predict = dict(classes=['car', 'bus'], score_thr=0.5)  # in a config
    """

    tta: bool = False
    classes: Sequence[str | int] | None = None
    score_thr: float | None = None
    slice_size: int | None = None
    slice_overlap: float | None = None
    window: int | None = None
    overlap: int | None = None


def predict_options(cfg: Config, **given: Any) -> PredictOptions:
    """Return the options that are given, and for those that are None the entries of the config.

    Raises:
        SR4IRError: If an option or a value is wrong, or the task network of the config has no use for one.
    """
    names = {field.name for field in fields(PredictOptions)}
    entries = cfg.get('predict') or {}
    if not isinstance(entries, Mapping) or (wrong := sorted(set(entries) - names)):
        text = advice(wrong[0], names) if isinstance(entries, Mapping) else 'Write dict(tta=..., classes=..., ...).'
        raise SR4IRError(f'The entry predict={entries!r} of the config is wrong. {text}')
    found = PredictOptions(**{**entries, **{name: value for name, value in given.items() if value is not None}})
    if found.score_thr is not None:
        check_number('predict', low=0, high=1, score_thr=found.score_thr)
        if (scope := cfg.get('default_scope')) in ('mmseg', 'mmpretrain'):
            raise SR4IRError(f'--score-thr is for objects, and networks of {scope} predict none: leave it out.')
    if (found.tta or found.classes is not None) and (cfg.get('model') or {}).get('task') is None:
        raise SR4IRError('--tta and --classes are for a task network, and this scheme has none: leave them out.')
    return found


def add_predict_options(parser: argparse.ArgumentParser, drawn: str) -> None:
    """Add the options to the arguments of a tool; ``drawn`` says what the lowest score is for."""
    parser.add_argument(
        '--tta',
        action=argparse.BooleanOptionalAction,
        default=None,
        help="test-time augmentation: the views of the config's tta_pipeline, or also each image flipped; default: off",
    )
    parser.add_argument(
        '--classes', nargs='+', metavar='NAME', help='names or numbers (from 0) of the only classes; default: all'
    )
    parser.add_argument('--score-thr', type=float, metavar='X', help=f'lowest score of objects {drawn}')
    parser.add_argument(
        '--slice',
        type=int,
        dest='slice_size',
        metavar='PX',
        help='side, in SR pixels, of slices in which small objects are searched, too; default: whole images only',
    )
    parser.add_argument(
        '--slice-overlap', type=float, metavar='X', help='share of a side that slices have in common; default: 0.2'
    )
