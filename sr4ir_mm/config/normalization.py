"""Normalization in a pipeline becomes that of the data preprocessor: SR4IR needs images of 0 to 255."""

from collections.abc import Sequence
from typing import NamedTuple

from mmengine.config import Config
from mmengine.logging import print_log

from ..errors import SR4IRError
from .channel_order import loads_rgb, pipelines_of
from .hf_nets import reads_normalization
from .nodes import type_name

_STEPS = ('Normalize', 'torchvision/ToTensor', 'torchvision/Normalize')
#: steps that leave the image as it is
_PACKING = ('Pack', 'LoadAnnotations')
_REMEDY = (
    'SR4IR needs images of 0 to 255: take the step out of all pipelines, and set mean and std of the data preprocessor '
    'of the task network.'
)


class _Normalization(NamedTuple):
    """Mean and standard deviation of the channels, and whether BGR becomes RGB before."""

    mean: list[float]
    std: list[float]
    flips: bool = False

    def then(self, other: '_Normalization') -> '_Normalization':
        """Return one normalization that does what two do."""
        turn = slice(None, None, -1 if other.flips else None)
        mean = [m + s * n for m, s, n in zip(self.mean[turn], self.std[turn], other.mean)]
        std = [s * t for s, t in zip(self.std[turn], other.std)]
        return _Normalization(mean, std, self.flips != other.flips)


def move_normalization(cfg: Config) -> Config:
    """Move the normalization at the end of the pipelines to the task network's data preprocessor, in place.

    The task network receives the same images; one of transformers, those that its folder asks for. A config without a
    super-resolution network stays as it is.

    Raises:
        SR4IRError: If a step cannot be moved, because another one follows it or the pipelines differ.
    """
    model = cfg.get('model')
    if not isinstance(model, dict) or 'sr' not in model or not isinstance(model.get('task') or {}, dict):
        return cfg
    flip = 'to_rgb' if cfg.get('default_scope') == 'mmpretrain' else 'bgr_to_rgb'
    owners = [cfg.model.get('task') or {}, cfg.model, cfg]  # wherever MMEngine and the zoos have it
    owner = next((owner for owner in owners if owner.get('data_preprocessor')), cfg)
    preprocessor = owner.get('data_preprocessor') or {}
    of_folder = reads_normalization(owners[0])  # which is read later, with the channel order
    if loads_rgb(cfg) and (not of_folder or flip in (owners[0].get('data_preprocessor') or {})):
        cfg.model.setdefault('channel_order', 'bgr' if preprocessor.get(flip) else 'rgb')
    taken = [steps for pipeline in pipelines_of(cfg) if (steps := _take(pipeline)) is not None]
    if not any(taken):
        return cfg
    if any(steps != taken[0] for steps in taken):
        raise SR4IRError(f'Only some pipelines have {max(taken, key=len)[0]["type"]}, or they differ in it. {_REMEDY}')
    names = ' and '.join(step['type'] for step in taken[0])
    if of_folder:
        print_log(
            f'{names}: taken out of the pipelines; instead, the data preprocessor of the task network normalizes as '
            f"'{owners[0].pretrained}' says."
        )
        return cfg
    found = _Normalization([0.0] * 3, [1.0] * 3)
    for step in taken[0]:
        found = found.then(_read(step))
    mean, std = preprocessor.get('mean') or [0.0], preprocessor.get('std') or [1.0]
    found = found.then(_Normalization(_channels(mean), _channels(std), bool(preprocessor.get(flip))))
    owner['data_preprocessor'] = {**preprocessor, 'mean': found.mean, 'std': found.std, flip: found.flips}
    print_log(
        f'{names}: taken out of the pipelines; instead, the data preprocessor of the task network normalizes by '
        f'mean={found.mean}, std={found.std}.'
    )
    return cfg


def _take(pipeline: list[dict]) -> list[dict] | None:
    """Remove the steps before the packing and return them; None if the pipeline is one inside another."""
    kinds = [type_name(step.get('type')) for step in pipeline]
    is_inner = not kinds[-1].startswith('Pack')
    end = len(kinds)
    while end and kinds[end - 1].startswith(_PACKING):
        end -= 1
    start = end
    while start and kinds[start - 1] in _STEPS and not is_inner:
        start -= 1
    if wrong := set(kinds[:start]) & set(_STEPS):
        raise SR4IRError(f'A pipeline has {min(wrong)} before other steps. {_REMEDY}')
    steps = [dict(step) for step in pipeline[start:end]]
    del pipeline[start:end]
    return None if is_inner else steps


def _read(step: dict) -> _Normalization:
    kind = type_name(step['type'])
    if kind == 'torchvision/ToTensor':
        return _Normalization([0.0] * 3, [255.0] * 3)
    if not (step.get('mean') and step.get('std')):
        raise SR4IRError(f'{step["type"]} in a pipeline has no mean or no std. {_REMEDY}')
    return _Normalization(
        _channels(step['mean']), _channels(step['std']), kind == 'Normalize' and step.get('to_rgb', True)
    )


def _channels(values: Sequence[float]) -> list[float]:
    """Return a value for each channel; a single one is for all of them."""
    return list(values) * (3 if len(values) == 1 else 1)
