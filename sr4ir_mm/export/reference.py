"""What a file is compared with: the task network's own prediction, on the way of ``tools/infer.py``."""

import copy
import logging
from collections.abc import Callable, Sequence

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from ..config.nodes import type_name
from ..inference.lr_predictor import LRPredictor
from ..models import SR4IR, Scheme
from .nets import named

#: steps that only change the size, which the images that are compared do not need
_SIZE_STEPS = {
    'CenterCrop', 'EfficientNetCenterCrop', 'FixScaleResize', 'FixShapeResize', 'Pad', 'Resize', 'ResizeEdge',
    'ResizeShortestEdge', 'ResizeToMultiple',
}  # fmt: skip
_PACKS = dict(mmdet='mmdet.PackDetInputs', mmseg='mmseg.PackSegInputs')
#: an expected output, and what turns the output of the file into the same
Expected = tuple[Tensor, Callable[[Tensor], Tensor]]


class Reference:
    """Prediction of a model by its own ``predict``, with the data preprocessor and the pipeline of the task network.

    Args:
        model (SR4IR): Model.
        scheme (Scheme, optional): Scheme to predict under; None for the SR image alone.
        pipeline (Sequence[dict], optional): Test pipeline of the task network. Its steps that change the size are left
            out.
        raw (bool): Whether detectors return what their heads return, instead of boxes.

    Example:
        >>> Reference(model, model.scheme)([cv2.imread('lr.png')])['sr']
    """

    def __init__(
        self, model: SR4IR, scheme: Scheme | None, pipeline: Sequence[dict] | None = None, raw: bool = False
    ) -> None:
        self.model = model
        self.raw = raw
        self.predictor = None
        if scheme is not None:
            self.model = copy.copy(model)
            self.model.scheme = scheme
            pipeline = pipeline or [dict(type=_PACKS.get(_zoo(model), 'mmpretrain.PackInputs'))]
            steps = [step for step in pipeline if _name(step) not in _SIZE_STEPS]
            self.predictor = LRPredictor(self.model, steps, tile=2**16)

    @torch.no_grad()
    def __call__(self, images: Sequence[np.ndarray]) -> dict[str, Expected]:
        """Predict images of one size, h x w x 3, uint8, BGR."""
        if self.predictor is None:
            return dict(sr=(self.model.upsample(to_tensor(images)), _same))
        items = [dict(img=image, img_path=f'{i}.png', img_id=i) for i, image in enumerate(images)]
        calls: list[tuple] = []
        task = self.model.task if self.model.scheme.uses_task_net else None
        handle = task and task.register_forward_pre_hook(lambda module, args: calls.append(args))
        samples = self.predictor(items, 'sr')
        expected = {}
        if self.model.scheme.test_input != 'hr':
            expected['sr'] = torch.stack([sample.task_input for sample in samples]), _same
        if task is not None:
            handle.remove()
            expected |= _outputs(task, samples, calls[-1], self.raw)
        return expected


def warn_of_sizes(pipeline: Sequence[dict]) -> None:
    """Report the steps of a test pipeline that a file does not hold."""
    if steps := [_name(step) for step in pipeline if _name(step) in _SIZE_STEPS]:
        print_log(
            f'The task network receives the SR image in its own size: the file does not hold {", ".join(steps)} of the '
            'test pipeline. If they change your SR images, use --split and apply them in between.',
            'current',
            logging.WARNING,
        )


def other_steps(pipeline: Sequence[dict]) -> list[str]:
    """List the steps of a test pipeline that neither read nor pack an image, nor only change its size."""
    names = [_name(step) for step in pipeline if _name(step) not in _SIZE_STEPS]
    return [name for name in names if 'Load' not in name and not name.startswith('Pack')]


def to_tensor(images: Sequence[np.ndarray]) -> Tensor:
    """Convert images h x w x 3, uint8, BGR to N x 3 x h x w in [0, 1], RGB."""
    return torch.from_numpy(np.stack(images)[..., ::-1].copy()).permute(0, 3, 1, 2).float() / 255


def _outputs(task: nn.Module, samples: list, call: tuple, raw: bool) -> dict[str, Expected]:
    if 'pred_instances' in samples[0] and not raw:  # of one image
        found = samples[0].pred_instances
        return dict(boxes=(found.bboxes, _same), scores=(found.scores, _same), labels=(found.labels, _same))
    maps = [
        next((sample.get(key) for key in ('seg_logits', 'pred_depth_map') if key in sample), None) for sample in samples
    ]
    if maps[0] is not None:
        logits = torch.stack([entry.data for entry in maps])
        return dict(logits=(logits, torch.sigmoid if logits.shape[1] == 1 and 'seg_logits' in samples[0] else _same))
    raw = {name: (value, _same) for name, value in named(task(*call, mode='tensor')).items()}
    if 'pred_score' not in samples[0]:
        return raw
    scores = torch.stack([sample.pred_score for sample in samples])
    return dict(logits=(scores, lambda logits: _nearest(logits, scores)))


def _nearest(logits: Tensor, scores: Tensor) -> Tensor:
    """Turn scores before softmax, or before the sigmoid of several labels, into predicted ones."""
    return min((logits.softmax(-1), logits.sigmoid()), key=lambda found: float((found - scores).abs().max()))


def _same(output: Tensor) -> Tensor:
    return output


def _name(step: dict) -> str:
    return type_name(step['type']).rpartition('/')[2]


def _zoo(model: SR4IR) -> str:
    packages = (base.__module__.partition('.')[0] for base in type(model.data_preprocessor.task_preprocessor).__mro__)
    return next((package for package in packages if package in _PACKS), '')
